package api

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/ratelimit"
)

// Every limit counts in the store, those that are added later too.
func TestEveryLimitIsShared(t *testing.T) {
	t.Parallel()
	store, err := ratelimit.NewStore(ratelimit.StoreConfig{URL: "redis://127.0.0.1:1"})
	require.NoError(t, err)
	l := newLimits(conf.Default(), time.Now())
	l.share(store)
	fields := reflect.ValueOf(l).Elem()
	shared := 0
	for i := range fields.NumField() {
		name, field := fields.Type().Field(i).Name, fields.Field(i)
		if field.Kind() != reflect.Interface {
			continue
		}
		shared++
		require.Equal(t, "*ratelimit.shared", field.Elem().Type().String(), name)
	}
	require.Greater(t, shared, 10)
}
