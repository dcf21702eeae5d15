package hooks

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/conf"
)

func TestTargetsOfTheConfiguration(t *testing.T) {
	t.Parallel()
	point := func(name string) conf.HookPoint {
		return conf.HookPoint{Enabled: true, URI: "https://" + name, Secrets: []string{name}}
	}
	targets := Targets(conf.Hook{
		MFAVerificationAttempt:      point("mfa-verification"),
		PasswordVerificationAttempt: point("password-verification"),
		CustomAccessToken:           point("customize-access-token"),
		SendEmail:                   point("send-email"),
		SendSMS:                     point("send-sms"),
		BeforeUserCreated:           point("before-user-created"),
		AfterUserCreated:            point("after-user-created"),
	})
	require.Len(t, targets, 7)
	for name, target := range targets {
		require.Equal(t, Target{Enabled: true, URI: "https://" + string(name), Secrets: []string{string(name)}}, target)
	}
}
