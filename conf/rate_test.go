package conf

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want Rate
	}{
		{"30", Rate{30, time.Hour, RateWindow}},
		{"0", Rate{0, time.Hour, RateWindow}},
		{"2.5", Rate{2.5, time.Hour, RateWindow}},
		{"30/1h", Rate{30, time.Hour, RateBucket}},
		{"10/1m30s", Rate{10, 90 * time.Second, RateBucket}},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			t.Parallel()
			var got Rate
			require.NoError(t, got.Decode(tt.text))
			require.Equal(t, tt.want, got)
			require.Equal(t, tt.text, got.String())
		})
	}
	for _, text := range []string{"", "x", "-1", "NaN", "Inf", "1e300", "30/", "/1h", "30/1", "30/0s", "30/-1h", "30/1h/2"} {
		before := Rate{Events: 7}
		require.ErrorContains(t, before.Decode(text), "rate: value does not match rate syntax", text)
		require.Equal(t, Rate{Events: 7}, before)
	}
}

func FuzzRate(f *testing.F) {
	for _, seed := range []string{"30", "30/1h", "0.1/1ns", "1e3/2h45m", "/", "0x1p-2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var r, again Rate
		if r.Decode(text) != nil {
			return
		}
		require.GreaterOrEqual(t, r.Events, 0.0)
		require.Positive(t, r.Interval)
		require.NoError(t, again.Decode(r.String()))
		require.Equal(t, r, again)
	})
}
