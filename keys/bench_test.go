package keys_test

import (
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

func BenchmarkSign(b *testing.B) {
	for _, alg := range []string{"HS256", "ES256", "EdDSA", "RS256"} {
		b.Run(alg, func(b *testing.B) {
			s, _ := setOf(b, alg)
			body := claims()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Sign("JWT", body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	for _, alg := range []string{"HS256", "ES256", "EdDSA", "RS256"} {
		b.Run(alg, func(b *testing.B) {
			s, _ := setOf(b, alg)
			token, err := s.Sign("JWT", claims())
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				var got jwt.RegisteredClaims
				if _, err := s.Parse(token, &got, now, "JWT"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
