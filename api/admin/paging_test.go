package admin

import (
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/models"
)

func TestPageBounds(t *testing.T) {
	t.Parallel()
	const most = 1<<64 - 1
	tests := []struct {
		page          page
		limit, offset int64
	}{
		{page{1, 50}, 50, 0},
		{page{3, 50}, 50, 100},
		{page{most, 1}, 1, maxRows},
		{page{most, most}, maxRows, maxRows},
		{page{2, most}, maxRows, maxRows},
	}
	for _, test := range tests {
		require.Equal(t, test.limit, test.page.limit())
		require.Equal(t, test.offset, test.page.offset())
		require.Positive(t, test.page.limit()+test.page.offset())
	}
}

func TestLinkKeepsOtherParameters(t *testing.T) {
	t.Parallel()
	to, err := url.Parse("/admin/users?per_page=2&filter=a%22%3E%2C&page=1")
	require.NoError(t, err)
	require.Equal(t, `</admin/users?filter=a%22%3E%2C&page=7&per_page=2>; rel="last"`, link(to, "page", "7", "last"))
}

// A cursor that is accepted, printed and read again is the same place.
func FuzzParseCursor(f *testing.F) {
	f.Add("garbage")
	f.Add("e30")
	f.Add("eyJjcmVhdGVkX2F0IjoiMjAyMC0wMS0wMVQwMDowMDowMFoiLCJpZCI6IjdiMGY5YzNlLTVkM2YtNGI3YS05YTUzLTFjMmQzZTRmNWE2YiJ9")
	f.Fuzz(func(t *testing.T, text string) {
		place, err := parseCursor(text)
		if err != nil || place == nil {
			require.Nil(t, place)
			require.Equal(t, text == "", err == nil)
			return
		}
		printed, err := formatCursor(*place)
		require.NoError(t, err)
		again, err := parseCursor(printed)
		require.NoError(t, err)
		require.Equal(t, place.ID, again.ID)
		require.True(t, place.CreatedAt.Equal(again.CreatedAt), "%s %s", place.CreatedAt.Format(time.RFC3339Nano), printed)
	})
}

func TestCursorRoundTrip(t *testing.T) {
	t.Parallel()
	place, err := parseCursor("eyJjcmVhdGVkX2F0IjoiMjAyMC0wMS0wMVQwMDowMDowMFoiLCJpZCI6IjdiMGY5YzNlLTVkM2YtNGI3YS05YTUzLTFjMmQzZTRmNWE2YiJ9")
	require.NoError(t, err)
	require.Equal(t, "7b0f9c3e-5d3f-4b7a-9a53-1c2d3e4f5a6b", place.ID.String())
	require.Equal(t, time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), place.CreatedAt)
}

// An estimate gives way to what a page shows: the list goes on exactly as long
// as there are rows.
func TestSettledTotal(t *testing.T) {
	t.Parallel()
	third := page{number: 3, size: 10}
	for name, test := range map[string]struct{ total, found, want int64 }{
		"in the middle":             {100, 11, 100},
		"more rows than estimated":  {25, 11, 31},
		"the last page":             {30, 10, 30},
		"the end before the total":  {100, 4, 24},
		"the end beyond the total":  {21, 4, 24},
		"behind the end":            {12, 0, 12},
		"behind the estimate's end": {100, 0, 20},
	} {
		require.Equal(t, test.want, third.settle(models.Range{}, test.total, int(test.found)), name)
	}
	require.EqualValues(t, 100, third.settle(models.Range{Rows: []models.Place{}}, 100, 4), "some were deleted meanwhile")
}
