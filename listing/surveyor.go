package listing

import (
	"context"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/storage"
)

const (
	// exactUpTo is the length up to which a list is counted for each page, and
	// how far from the beginning a page is reached by passing over rows: about
	// a millisecond.
	exactUpTo = 10_000
	// every nth row's place is remembered. A million rows make 40 kB.
	every = 1000
	// A survey is used until there is a newer one, for at most maxAge. It is
	// renewed when somebody asks and it is older than freshFor, or than restShare
	// times what it took: at most 5 % of a connection's time goes into one list.
	freshFor  = 15 * time.Second
	restShare = 20
	maxAge    = time.Hour
	// A search is repeated for each page unless it took as long as slowSearch:
	// then its result is used for restShare times what it took.
	slowSearch = 100 * time.Millisecond
	// searches is how many are done at once. Those who wait may find the result
	// of one that they waited for.
	searches = 4
	// surveyTimeout bounds a survey; after a failure there is none for as long.
	surveyTimeout = time.Minute
	// maxSurveys bounds the lists that are remembered: filters are anything.
	maxSurveys = 64
)

// Surveyor knows the long lists that were asked for lately. It is safe for
// concurrent use; Close ends what it does in the background.
type Surveyor struct {
	db  *storage.DB
	log logrus.FieldLogger
	now func() time.Time

	searching chan struct{}

	context context.Context //nolint:containedctx // that of the work in the background, ended by Close
	cancel  context.CancelFunc
	work    sync.WaitGroup

	mu      sync.Mutex
	known   map[string]*survey
	busy    bool // one survey at a time
	notTill time.Time
	closed  bool
}

// survey is what is remembered of a list; nobody changes it.
type survey struct {
	places []models.Place // of rows 0, every, 2·every … or of all rows, the oldest first
	whole  bool           // of all rows
	at     time.Time
	stale  time.Time
}

// New returns a Surveyor that knows nothing yet.
func New(db *storage.DB, log logrus.FieldLogger, now func() time.Time) *Surveyor {
	s := &Surveyor{db: db, log: log, now: now, known: map[string]*survey{}, searching: make(chan struct{}, searches)}
	s.context, s.cancel = context.WithCancel(context.Background())
	return s
}

// Close ends the background work and waits for it.
func (s *Surveyor) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.work.Wait()
}

// Wait returns when no survey is under way.
func (s *Surveyor) Wait() { s.work.Wait() }

// Find returns where the rows of a range from the beginning of a list are, and
// the length of the list.
func (s *Surveyor) Find(ctx context.Context, list models.List, r models.Range) (models.Range, int64, error) {
	c := s.db.Conn(ctx)
	if known := s.recall(list); known != nil {
		return known.find(c, list, r)
	}
	var total int64
	var err error
	if list.Filtered() {
		known, err := s.search(ctx, list)
		if err != nil {
			return r, 0, err
		}
		if known.usable() {
			return known.find(c, list, r)
		}
		total = exactUpTo + 1
	} else if total, err = models.CountUpTo(c, list, exactUpTo+1); err != nil {
		return r, 0, err
	}
	if total <= exactUpTo {
		return r, total, nil
	}
	s.begin(list)
	estimate, err := models.EstimateCount(c, list)
	return r, max(total, estimate), err
}

// recall returns what is known of a list, and has it surveyed anew when that is
// old.
func (s *Surveyor) recall(list models.List) *survey {
	now := s.now()
	s.mu.Lock()
	known := s.known[models.ListKey(list)]
	s.mu.Unlock()
	switch {
	case known == nil, now.Sub(known.at) > maxAge:
		return nil
	case now.After(known.stale):
		if known.whole {
			return nil // it is read anew rather than surveyed
		}
		s.begin(list)
	}
	if !known.usable() {
		return nil
	}
	return known
}
