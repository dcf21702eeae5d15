package admin

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/truegrant/truegrant/listing"
	"github.com/truegrant/truegrant/models"
)

const (
	defaultPerPage = 50
	maxLimit       = 1000 // users of a list by cursor
	// maxRows bounds LIMIT and OFFSET: beyond any table, and their sum still
	// fits PostgreSQL's bigint.
	maxRows = 1<<62 - 1
)

// page is a place in a list by page numbers. Both are at least 1.
type page struct{ number, size uint64 }

// parsePage reads page and per_page; empty counts as absent. Page 0 is the
// first one.
func parsePage(params url.Values) (page, error) {
	number, err := parseUint(params.Get("page"), 1)
	if err != nil {
		return page{}, err
	}
	size, err := parseUint(params.Get("per_page"), defaultPerPage)
	if err != nil {
		return page{}, err
	}
	if size == 0 {
		return page{}, errors.New("per_page must be greater than 0")
	}
	return page{number: max(number, 1), size: size}, nil
}

func parseUint(text string, absent uint64) (uint64, error) {
	if text == "" {
		return absent, nil
	}
	return strconv.ParseUint(text, 10, 64) // its error is what GoTrue shows
}

func (p page) limit() int64 { return int64(min(p.size, maxRows)) }

func (p page) offset() int64 {
	high, low := bits.Mul64(p.number-1, p.size)
	if high != 0 {
		return maxRows
	}
	return int64(min(low, maxRows))
}

// find returns the range of a list that the page shows, with one row more than
// it shows, and the length of the list.
func (p page) find(ctx context.Context, lists *listing.Surveyor, list models.List, oldestFirst bool) (models.Range, int64, error) {
	return lists.Find(ctx, list, models.Range{Skip: p.offset(), Limit: p.limit() + 1, OldestFirst: oldestFirst})
}

// settle corrects a total, which may be an estimate or some seconds old, by the
// number of rows that were found in a range: a list goes on as long as there are
// rows, and ends with the last one.
func (p page) settle(r models.Range, total int64, found int) int64 {
	before, rows := p.offset(), int64(found)
	switch {
	case r.Rows != nil: // the list is known as a whole
		return total
	case rows > p.limit():
		return max(total, before+rows)
	case rows > 0:
		return before + rows
	}
	return min(total, before)
}

// cut leaves out the row beyond the page.
func cut[T any](p page, rows []T) []T { return rows[:min(int64(len(rows)), p.limit())] }

// head tells how long the list is, and where its other pages are.
func (p page) head(w http.ResponseWriter, r *http.Request, total int64) {
	w.Header().Set("X-Total-Count", strconv.FormatInt(total, 10))
	w.Header().Set("Link", p.links(r.URL, uint64(max(total, 0))))
}

// links is the Link header (RFC 8288 §3) to the next page, if there is one, and
// the last, which is 0 for an empty list.
func (p page) links(to *url.URL, total uint64) string {
	last := total / p.size
	if total%p.size != 0 {
		last++
	}
	toLast := link(to, "page", strconv.FormatUint(last, 10), "last")
	if p.number >= last {
		return toLast
	}
	return link(to, "page", strconv.FormatUint(p.number+1, 10), "next") + ", " + toLast
}

// link points to a URL with one query parameter replaced. The parameters are
// sorted; of those that SDKs send, page comes first, where they look for it.
func link(to *url.URL, name, value, relation string) string {
	params := to.Query()
	params.Set(name, value)
	return fmt.Sprintf(`<%s?%s>; rel="%s"`, to.EscapedPath(), params.Encode(), relation)
}

// parseSort reads the sort parameters, each a field and a direction. There is
// but one field, so the first one decides.
func parseSort(sorts []string) (oldestFirst bool, err error) {
	decided := false
	for _, sort := range sorts {
		if sort == "" {
			continue
		}
		field, direction, _ := strings.Cut(sort, " ")
		if field != "created_at" {
			return false, fmt.Errorf("bad field for sort '%s'", field)
		}
		switch direction {
		case "", "asc", "desc":
		default:
			return false, fmt.Errorf("bad direction for sort '%s', only 'asc' and 'desc' allowed", direction)
		}
		if !decided {
			oldestFirst, decided = direction == "asc", true
		}
	}
	return oldestFirst, nil
}

// parseLimit reads the size of a page of a list by cursor.
func parseLimit(text string) (int, error) {
	limit, err := parseUint(text, defaultPerPage)
	switch {
	case err != nil:
		return 0, err
	case limit == 0:
		return 0, errors.New("limit must be greater than 0")
	}
	return int(min(limit, maxLimit)), nil
}

// parseCursor reads the place after which a list goes on: unpadded base64url of
// a JSON object; an empty one is the beginning.
func parseCursor(text string) (*models.Place, error) {
	if text == "" {
		return nil, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("invalid cursor: %w", err)
	}
	place := new(models.Place)
	if err := json.Unmarshal(raw, place); err != nil {
		return nil, fmt.Errorf("invalid cursor: %w", err)
	}
	if place.CreatedAt.IsZero() || place.ID.IsNil() {
		return nil, errors.New("invalid cursor: created_at and id are required")
	}
	return place, nil
}

func formatCursor(place models.Place) (string, error) {
	raw, err := json.Marshal(place)
	if err != nil {
		return "", fmt.Errorf("encode cursor: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}
