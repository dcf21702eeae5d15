package mailer

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// setupBackground makes a mailer that sends to s in the background.
func setupBackground(t *testing.T, s *sink, change ...func(*Config)) bundle {
	t.Helper()
	m := setup(t, s, append([]func(*Config){func(c *Config) { c.Background, c.SMTP.LogSends = true, true }}, change...)...)
	m.timeouts.pause = time.Millisecond
	return m
}

// soon bounds the closing of a mailer.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func (s *sink) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.letters)
}

// Nobody waits for the mail server, and closing waits for every mail.
func TestBackground(t *testing.T) {
	t.Parallel()
	const mails = 50
	s := new(sink).start(t)
	m := setupBackground(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	for i := range mails {
		msg := confirmation()
		msg.To = fmt.Sprintf("user%d@user.example", i)
		require.NoError(t, m.Send(ctx, msg))
	}
	cancel() // the request is over, its mail is not
	m.Close(soon(t))
	require.Equal(t, mails, s.count())

	require.NoError(t, m.Send(t.Context(), confirmation()), "sent at once, by what still runs")
	require.Equal(t, mails+1, s.count())
	m.Close(t.Context())
}

// Callers still learn what is their own fault; what is the server's is logged.
func TestBackgroundFailures(t *testing.T) {
	t.Parallel()
	s := (&sink{faults: map[string][]string{"RCPT": {"550 5.1.1 <ada@user.example> unknown"}}}).start(t)
	m := setupBackground(t, s)
	require.ErrorIs(t, m.Send(t.Context(), Message{Kind: Confirmation}), ErrSend)
	require.ErrorIs(t, m.Send(t.Context(), Message{Kind: "circular", To: "a@b.example"}), ErrSend)
	require.NoError(t, m.Send(t.Context(), confirmation()))
	m.Close(soon(t))
	require.Contains(t, m.logs.String(), "mail could not be sent in the background")
	require.Contains(t, m.logs.String(), "SMTP status 550 5.1.1")
	require.Contains(t, m.logs.String(), "mail_type=confirmation")
	require.NotContains(t, m.logs.String(), "ada@")
}

// Beyond the size of the outbox callers wait, so that nothing is lost and
// memory stays bounded.
func TestFullOutbox(t *testing.T) {
	t.Parallel()
	blocked := make(chan struct{})
	release := sync.OnceFunc(func() { close(blocked) })
	s := new(sink).start(t)
	server := newTemplateServer(t, says("Hello"))
	m := setupBackground(t, s, func(c *Config) { c.Templates = map[Kind]string{Recovery: server.url} })
	t.Cleanup(release)
	server.now(func(w http.ResponseWriter, r *http.Request) { <-blocked; says("Hello")(w, r) })
	slow := confirmation()
	slow.Kind = Recovery
	for range outboxWorkers {
		require.NoError(t, m.Send(t.Context(), slow))
	}
	require.Eventually(t, func() bool { return m.outbox.length() == 0 }, 5*time.Second, time.Millisecond, "all workers are busy")
	m.outbox.mu.Lock()
	m.outbox.size = 2
	m.outbox.mu.Unlock()
	require.NoError(t, m.Send(t.Context(), confirmation()))
	require.NoError(t, m.Send(t.Context(), confirmation()))
	require.Equal(t, 0, s.count())
	require.NoError(t, m.Send(t.Context(), confirmation()))
	require.Equal(t, 1, s.count(), "sent in the request")
	release()
	m.Close(soon(t))
	require.Equal(t, outboxWorkers+3, s.count())
}

// length is how many mails wait.
func (o *outbox) length() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.waiting)
}

// Closing waits no longer than it is allowed to, and tells what was lost.
func TestOutboxThatCannotBeEmptied(t *testing.T) {
	t.Parallel()
	faults := make([]string, 2*outboxWorkers)
	for i := range faults {
		faults[i] = "hang"
	}
	s := (&sink{faults: map[string][]string{"DATA": faults}}).start(t)
	m := setupBackground(t, s)
	for range outboxWorkers + 3 {
		require.NoError(t, m.Send(t.Context(), confirmation()))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	started := time.Now()
	m.Close(ctx)
	require.Less(t, time.Since(started), 10*time.Second)
	require.Contains(t, m.logs.String(), "mails were not sent before the server stopped")
	require.Contains(t, m.logs.String(), "mails=3")
	s.none(t)
	require.Equal(t, 0, m.outbox.workers)
}

// A panic ends one mail, neither its worker nor the server.
func TestOutboxSurvivesPanics(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	sent, lines := 0, new(logs)
	o := newOutbox(func(context.Context, Message) error {
		mu.Lock()
		defer mu.Unlock()
		if sent++; sent%2 == 1 {
			panic("oops")
		}
		return nil
	}, textLogger(lines))
	for range 10 {
		require.True(t, o.add(confirmation()))
	}
	o.close(soon(t))
	require.Equal(t, 10, sent)
	require.Contains(t, lines.String(), "panic: oops")
}
