package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

func TestOpenProject(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := openProject(dir, 9999)
	require.NoError(t, err)
	again, err := openProject(dir, 1234)
	require.NoError(t, err)
	require.JSONEq(t, string(first.keys.SigningKey), string(again.keys.SigningKey))
	first.keys.SigningKey, again.keys.SigningKey = nil, nil
	require.Equal(t, first.keys, again.keys, "keys stay from run to run")
	require.Equal(t, "http://localhost:1234/auth/v1", again.authURL())

	file := filepath.Join(dir, projectFile)
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "it holds secrets")
	for key, role := range map[string]string{first.keys.AnonKey: "anon", first.keys.ServiceKey: "service_role"} {
		claims := jwt.MapClaims{}
		_, err := jwt.ParseWithClaims(key, claims, func(*jwt.Token) (any, error) { return []byte(first.keys.JWTSecret), nil })
		require.NoError(t, err)
		require.Equal(t, role, claims["role"])
	}

	require.NoError(t, os.WriteFile(file, []byte("{"), 0o600))
	_, err = openProject(dir, 9999)
	require.ErrorContains(t, err, "--reset")
}
