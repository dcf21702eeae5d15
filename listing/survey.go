package listing

import (
	"slices"

	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/storage"
)

// usable tells that the survey found places, or that there are no rows.
func (k *survey) usable() bool { return k.whole || len(k.places) > 0 }

// find returns where the rows of a range are, and the length of the list.
func (k *survey) find(c *storage.Conn, list models.List, r models.Range) (models.Range, int64, error) {
	if k.whole {
		total := int64(len(k.places))
		r.Rows = k.slice(r)
		return r, total, nil
	}
	last := len(k.places) - 1
	recent, err := models.CountFrom(c, list, k.places[last])
	total := int64(last)*every + recent
	return k.locate(r, total), total, err
}

// slice returns the places of a range where all are known.
func (k *survey) slice(r models.Range) []models.Place {
	total := int64(len(k.places))
	from := min(r.Skip, total)
	to := from + min(r.Limit, total-from)
	if r.OldestFirst {
		return k.places[from:to]
	}
	return k.places[total-to : total-from]
}

// locate lets a range start at the remembered place before it.
func (k *survey) locate(r models.Range, total int64) models.Range {
	if r.Skip <= exactUpTo {
		return r
	}
	last := int64(len(k.places) - 1)
	at := min(r.Skip/every, last)
	skip := r.Skip - at*every
	if !r.OldestFirst {
		// The place at the row or behind it, counted from the oldest one.
		rank := total - 1 - r.Skip
		at = max(0, (rank+every-1)/every)
		skip = at*every - rank
	}
	if at > last {
		return r // among those that came since
	}
	r.From, r.Skip = &k.places[at], skip
	return r
}

// inOrder sorts places, the oldest first.
func inOrder(places []models.Place) {
	slices.SortFunc(places, func(a, b models.Place) int {
		if before := a.CreatedAt.Compare(b.CreatedAt); before != 0 {
			return before
		}
		return slices.Compare(a.ID[:], b.ID[:])
	})
}
