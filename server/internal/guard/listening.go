package guard

import (
	"context"
	"errors"
	"time"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/store"
	"container-registry/server/internal/wait"
)

const patience = store.Patience

// checkPatience is for the question whether the store answers at all, of which the engine asks three
// before it believes that it does not: half a minute after the last answer.
const checkPatience = 5 * time.Second

// checks are as many as the engine's: on a line that is full, one may get no answer in time.
const checks = 3

// tagsPatience is for tags, which are listed as a whole before the first is seen: a hundred
// thousand take S3 half a minute.
const tagsPatience = time.Minute

// workPatience is for what a store may really work on: a folder of many names, or the copy
// of a large blob, of which it says nothing before the end. Meanwhile it has to answer others.
const workPatience = 10 * time.Minute

// silence is that of a store, for so long.
type silence time.Duration

func (s silence) Error() string { return "no answer within " + time.Duration(s).String() }

// patienceFor is how long a question may take. Who got no answer to one asks no more for long.
func patienceFor(ctx context.Context, path string) time.Duration {
	switch {
	case path == "/":
		return checkPatience
	case requestOf(ctx).silenced():
		return 0
	default:
		return patience
	}
}

// listening is for what may take long as a whole: its context ends when the store says
// nothing for as long as patience lasts.
type listening struct {
	ctx      context.Context
	cancel   context.CancelCauseFunc
	patience time.Duration
	timer    *time.Timer
	// answers says whether the store answers others; nil where what is asked is itself a small request.
	answers func(ctx context.Context) bool
}

func listen(ctx context.Context, patience time.Duration) listening {
	limited, cancel := context.WithCancelCause(ctx)
	return listening{limited, cancel, patience, time.AfterFunc(patience, func() { cancel(silence(patience)) }), nil}
}

// during is for one thing that is asked of the store.
func (l listening) during(ask func() error) error {
	l.timer.Reset(l.patience)
	defer l.timer.Stop()
	if l.answers != nil {
		defer l.watch()()
	}
	return l.reason(ask())
}

// watch ends what the store works on when it answers nobody else either.
func (l listening) watch() (done func()) {
	working, end := context.WithCancel(l.ctx)
	const pause = patience - (checks-1)*checkPatience
	timer := time.AfterFunc(pause, func() {
		for missed := 0; missed < checks; {
			next := time.Now().Add(checkPatience)
			missed++
			if l.answers(working) {
				missed, next = 0, time.Now().Add(pause)
			}
			if wait.For(working, time.Until(next)) != nil {
				return
			}
		}
		l.cancel(silence(patience))
	})
	return func() {
		timer.Stop()
		end()
	}
}

func (l listening) reason(err error) error {
	if silent := silence(0); err != nil && errors.As(context.Cause(l.ctx), &silent) {
		return silent
	}
	return err
}

func (l listening) end() {
	l.timer.Stop()
	l.cancel(nil)
}

func (d watched) listenToWork(ctx context.Context) listening {
	l := listen(ctx, workPatience)
	l.answers = d.answers
	return l
}

// work is for what a store may work on.
func (d watched) work(ctx context.Context, on func(context.Context) error) error {
	l := d.listenToWork(ctx)
	defer l.end()
	return l.during(func() error { return on(l.ctx) })
}

// answers asks the store itself: nobody is told of it.
func (d watched) answers(ctx context.Context) bool {
	limited, cancel := context.WithTimeout(ctx, checkPatience)
	defer cancel()
	_, err := d.StorageDriver.Stat(limited, "/")
	if err == nil || layout.IsMissing(err) {
		return true
	}
	fault := d.outage.store.Failure(store.Read, err).Fault
	return fault != store.Silent && fault != store.Unreachable
}
