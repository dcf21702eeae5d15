package mailer

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/sirupsen/logrus"
)

// Limits of what is sent in the background.
const (
	outboxSize    = 1000
	outboxWorkers = 8
)

// outbox sends mails after the requests that caused them are answered. Workers
// exist as long as there is something to send.
type outbox struct {
	send   func(ctx context.Context, msg Message) error
	logger logrus.FieldLogger
	size   int
	// ctx is that of every sending.
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex
	waiting []Message
	workers int
	closed  bool
	idle    chan struct{} // closed when the last worker of a closed outbox ends
}

func newOutbox(send func(context.Context, Message) error, logger logrus.FieldLogger) *outbox {
	ctx, cancel := context.WithCancel(context.Background())
	return &outbox{send: send, logger: logger, size: outboxSize, ctx: ctx, cancel: cancel, idle: make(chan struct{})}
}

// add takes a mail, unless the outbox is full or closed.
func (o *outbox) add(msg Message) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || len(o.waiting) >= o.size {
		return false
	}
	o.waiting = append(o.waiting, msg)
	if o.workers < outboxWorkers {
		o.workers++
		go o.work()
	}
	return true
}

// work sends what waits.
func (o *outbox) work() {
	for {
		msg, more := o.next()
		if !more {
			return
		}
		if err := o.try(msg); err != nil {
			o.logger.WithField("mail_type", msg.Kind.MessageType()).WithError(err).Warn("mail could not be sent in the background")
		}
	}
}

// try sends a mail. A panic, which would end a request only, must not end the
// server.
func (o *outbox) try(msg Message) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("%w: panic: %v\n%s", ErrSend, reason, debug.Stack())
		}
	}()
	return o.send(o.ctx, msg)
}

// next takes the oldest mail out. Without one the worker has to end.
func (o *outbox) next() (Message, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.waiting) == 0 {
		o.workers--
		if o.closed && o.workers == 0 {
			close(o.idle)
		}
		return Message{}, false
	}
	msg := o.waiting[0]
	o.waiting = o.waiting[1:]
	return msg, true
}

// close sends what waits, and drops what is left when ctx ends.
func (o *outbox) close(ctx context.Context) {
	o.mu.Lock()
	if o.closed {
		o.mu.Unlock()
		return
	}
	o.closed = true
	if o.workers == 0 {
		close(o.idle)
	}
	o.mu.Unlock()
	select {
	case <-o.idle:
	case <-ctx.Done():
		o.drop()
	}
	o.cancel()
	<-o.idle
}

// drop gives up what waits and what is being sent.
func (o *outbox) drop() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if n := len(o.waiting); n > 0 {
		o.logger.WithField("mails", n).Error("mails were not sent before the server stopped")
	}
	o.waiting = nil
	o.cancel()
}
