package api_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
)

// Whatever is answered, a browser takes it for what it says it is.
func TestEveryAnswerIsHardened(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	for _, path := range []string{"/health", "/settings", "/user", "/nowhere", "/admin/users", "/verify?token=x&type=signup"} {
		header := app.Do("GET", path, nil).Header
		require.Equal(t, "nosniff", header.Get("X-Content-Type-Options"), path)
		require.Equal(t, "DENY", header.Get("X-Frame-Options"), path)
	}
}
