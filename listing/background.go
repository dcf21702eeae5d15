package listing

import (
	"context"
	"time"

	"github.com/truegrant/truegrant/models"
)

// begin starts a survey unless one is under way: many callers need one survey,
// and the database more air than many lists at once would leave it.
func (s *Surveyor) begin(list models.List) {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.known[models.ListKey(list)]
	if s.busy || s.closed || now.Before(s.notTill) || known != nil && now.Before(known.stale) {
		return
	}
	s.busy = true
	s.work.Go(func() { s.survey(list, now) })
}

func (s *Surveyor) survey(list models.List, started time.Time) {
	ctx, cancel := context.WithTimeout(s.context, surveyTimeout)
	defer cancel()
	places, err := models.Milestones(s.db.Conn(ctx), list, every)
	ended := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = false
	if err != nil {
		s.notTill = ended.Add(surveyTimeout)
		if s.context.Err() == nil {
			s.log.WithError(err).Warn("a long list could not be surveyed: its pages are slow and its total is an estimate")
		}
		return
	}
	rest := max(freshFor, restShare*ended.Sub(started))
	s.remember(models.ListKey(list), &survey{places: places, at: ended, stale: ended.Add(rest)})
}

// search looks for all rows of a list. What it returns is not usable when they
// are too many.
func (s *Surveyor) search(ctx context.Context, list models.List) (*survey, error) {
	select {
	case s.searching <- struct{}{}:
		defer func() { <-s.searching }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if known := s.recall(list); known != nil {
		return known, nil // by the search that we waited for
	}
	started := s.now()
	places, err := models.Search(s.db.Conn(ctx), list, exactUpTo+1)
	if err != nil {
		return nil, err
	}
	if len(places) > exactUpTo {
		return new(survey), nil
	}
	inOrder(places)
	ended := s.now()
	took := ended.Sub(started)
	one := &survey{places: places, whole: true, at: ended, stale: ended.Add(restShare * took)}
	if took >= slowSearch {
		s.mu.Lock()
		s.remember(models.ListKey(list), one)
		s.mu.Unlock()
	}
	return one, nil
}

// remember keeps a survey in place of the oldest one when there are too many.
func (s *Surveyor) remember(key string, one *survey) {
	s.known[key] = one
	if len(s.known) <= maxSurveys {
		return
	}
	oldest := key
	for candidate, known := range s.known {
		if known.at.Before(s.known[oldest].at) {
			oldest = candidate
		}
	}
	delete(s.known, oldest)
}
