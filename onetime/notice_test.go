package onetime_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/gofrs/uuid"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/onetime"
)

// post is a Sender, a Budget and Recipients that remember what they are asked.
type post struct {
	sent    []onetime.Mail
	checked []string
	counted int
	fails   error
	refuses error
	isSpent bool
}

func (p *post) Send(_ context.Context, mail onetime.Mail) error {
	p.sent = append(p.sent, mail)
	return p.fails
}

func (p *post) Check(_ context.Context, address string) error {
	p.checked = append(p.checked, address)
	return p.refuses
}

func (p *post) Allow(context.Context, string, time.Time) (bool, error) {
	p.counted++
	return !p.isSpent, nil
}

// allNotices has every kind of notice on.
func allNotices() conf.MailNotifications {
	var on conf.MailNotifications
	fields := reflect.ValueOf(&on).Elem()
	for i := range fields.NumField() {
		fields.Field(i).SetBool(true)
	}
	return on
}

func newService(p *post, on conf.MailNotifications) *onetime.Service {
	return onetime.New(onetime.Deps{Mail: p, Budget: p, Recipients: p}, conf.Mailer{Notifications: on},
		conf.SMTP{MaxFrequency: time.Hour}, conf.SMS{})
}

func TestNotices(t *testing.T) {
	t.Parallel()
	user := &models.User{ID: uuid.Must(uuid.NewV4()), Email: "now@app.test", Phone: "15550001"}
	tests := []struct {
		notice onetime.Mail
		kind   string
		to     string
		change onetime.Change
	}{
		{onetime.PasswordChanged(user), "password_changed_notification", "now@app.test", onetime.Change{}},
		{onetime.EmailChanged(user, "was@app.test"), "email_changed_notification", "was@app.test", onetime.Change{OldEmail: "was@app.test"}},
		{onetime.PhoneChanged(user, "15550000"), "phone_changed_notification", "now@app.test", onetime.Change{OldPhone: "15550000"}},
		{onetime.IdentityLinked(user, "github"), "identity_linked_notification", "now@app.test", onetime.Change{Provider: "github"}},
		{onetime.IdentityUnlinked(user, "github"), "identity_unlinked_notification", "now@app.test", onetime.Change{Provider: "github"}},
		{onetime.FactorEnrolled(user, "totp"), "mfa_factor_enrolled_notification", "now@app.test", onetime.Change{FactorType: "totp"}},
		{onetime.FactorUnenrolled(user, "phone"), "mfa_factor_unenrolled_notification", "now@app.test", onetime.Change{FactorType: "phone"}},
	}
	for _, tt := range tests {
		t.Run(tt.kind, func(t *testing.T) {
			t.Parallel()
			p := new(post)
			require.NoError(t, newService(p, conf.MailNotifications{}).Notify(t.Context(), tt.notice, time.Now()))
			require.Empty(t, p.sent, "off unless the project wants it")

			service := newService(p, allNotices())
			require.NoError(t, service.Notify(t.Context(), tt.notice, time.Now()))
			require.NoError(t, service.Notify(t.Context(), tt.notice, time.Now()), "no pause between two of a kind")
			require.Len(t, p.sent, 2)
			require.Equal(t, onetime.Kind(tt.kind), p.sent[0].Kind)
			require.Equal(t, tt.to, p.sent[0].To())
			require.Equal(t, tt.change, p.sent[0].Change)
			require.Equal(t, user, p.sent[0].User)
			require.Equal(t, []string{tt.to, tt.to}, p.checked)
			require.Equal(t, 2, p.counted)
		})
	}
}

// Each kind has a switch of its own.
func TestNoticesApart(t *testing.T) {
	t.Parallel()
	user := &models.User{Email: "now@app.test"}
	notices := []onetime.Mail{
		onetime.PasswordChanged(user), onetime.EmailChanged(user, "was@app.test"), onetime.PhoneChanged(user, ""),
		onetime.IdentityLinked(user, "x"), onetime.IdentityUnlinked(user, "x"),
		onetime.FactorEnrolled(user, "totp"), onetime.FactorUnenrolled(user, "totp"),
	}
	var on conf.MailNotifications
	fields := reflect.ValueOf(&on).Elem()
	require.Equal(t, len(notices), fields.NumField())
	for i := range notices {
		on = conf.MailNotifications{}
		fields.Field(i).SetBool(true)
		p := new(post)
		for _, notice := range notices {
			require.NoError(t, newService(p, on).Notify(t.Context(), notice, time.Now()))
		}
		require.Len(t, p.sent, 1, fields.Type().Field(i).Name)
		require.Equal(t, notices[i].Kind, p.sent[0].Kind)
	}
}

func TestNoticesThatAreNotSent(t *testing.T) {
	t.Parallel()
	now, user := time.Now(), &models.User{Email: "now@app.test"}
	p := new(post)
	require.NoError(t, newService(p, allNotices()).Notify(t.Context(), onetime.PasswordChanged(new(models.User)), now))
	require.NoError(t, newService(p, allNotices()).Notify(t.Context(), onetime.EmailChanged(user, ""), now))
	require.Empty(t, p.sent, "nobody to tell")

	p = &post{isSpent: true}
	require.ErrorIs(t, newService(p, allNotices()).Notify(t.Context(), onetime.PasswordChanged(user), now), onetime.ErrOverBudget)
	require.Empty(t, p.sent)

	cause := errors.New("no")
	p = &post{refuses: cause}
	require.ErrorIs(t, newService(p, allNotices()).Notify(t.Context(), onetime.PasswordChanged(user), now), cause)
	require.Empty(t, p.sent)

	p = &post{fails: cause}
	var failed *onetime.SendError
	require.ErrorAs(t, newService(p, allNotices()).Notify(t.Context(), onetime.PasswordChanged(user), now), &failed)
	require.Equal(t, onetime.PasswordChangedNotice, failed.Kind)
}
