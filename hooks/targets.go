package hooks

import "github.com/truegrant/truegrant/conf"

// Targets reads the configuration of all hook points.
func Targets(c conf.Hook) map[Point]Target {
	points := map[Point]conf.HookPoint{
		PointMFAVerification:      c.MFAVerificationAttempt,
		PointPasswordVerification: c.PasswordVerificationAttempt,
		PointCustomAccessToken:    c.CustomAccessToken,
		PointSendEmail:            c.SendEmail,
		PointSendSMS:              c.SendSMS,
		PointBeforeUserCreated:    c.BeforeUserCreated,
		PointAfterUserCreated:     c.AfterUserCreated,
	}
	targets := make(map[Point]Target, len(points))
	for point, hook := range points {
		targets[point] = Target{Enabled: hook.Enabled, URI: hook.URI, Secrets: hook.Secrets}
	}
	return targets
}
