package guard

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"container-registry/server/internal/logging"
	"container-registry/server/internal/store"
)

var (
	errAway   = errors.New("the store of this registry does not answer, or has too much to do")
	errClosed = errors.New("the store of this registry may not be read; the log of the server says more")
	errSealed = errors.New("the store of this registry may not be written; the log of the server says more")
	// errUnreadable is of one file, and others can be read.
	errUnreadable = errors.New("the store of this registry does not give this; the log of the server says more")
	// errShort is what no store says.
	errShort = errors.New("a file is shorter than it was")
)

// calm is how long nothing has to fail for an outage to be over: a store that is overloaded
// answers some.
const calm = 30 * time.Second

// outage is what goes wrong with a store.
type outage struct {
	store *store.Store
	log   *logrus.Entry

	mu   sync.Mutex
	away trouble
	// limits are of a store that answers, by what it does not do. Who may read may not be let write.
	limits map[store.Action]*trouble
	// files are those that something is wrong with by themselves, and when that was seen last.
	files map[string]time.Time
}

// mostFiles are told of until it was calm again: it may be all files.
const mostFiles = 10

// trouble is told when it begins, for each other reason that shows later, and when it is over. One
// that shows again, once the reason that was told last is calm, is told again: the log ends with the
// one to do something about.
type trouble struct {
	began, last time.Time
	failed      int
	told        []store.Fault
	// shown is when the last of those told was there.
	shown time.Time
}

func (o *outage) failure(action store.Action, err error) store.Fault {
	o.mu.Lock()
	defer o.mu.Unlock()
	failure := o.store.Failure(action, err)
	t := &o.away
	if !o.store.Away(err) {
		if o.limits[failure.Action] == nil {
			o.limits[failure.Action] = &trouble{}
		}
		t = o.limits[failure.Action]
	}
	t.last = time.Now()
	t.failed++
	if t.began.IsZero() {
		t.began = t.last
	}
	if t.isNew(failure.Fault) {
		o.log.Error(failure)
	}
	return failure.Fault
}

// isNew takes note of a reason, and says whether it is to be told.
func (t *trouble) isNew(fault store.Fault) bool {
	at := slices.Index(t.told, fault)
	isLast := at >= 0 && at == len(t.told)-1
	if at >= 0 && !isLast {
		if t.last.Sub(t.shown) < calm {
			return false
		}
		t.told = slices.Delete(t.told, at, at+1)
	}
	t.shown = t.last
	if !isLast {
		t.told = append(t.told, fault)
	}
	return !isLast
}

// file tells of one file, unless it was just told of.
func (o *outage) file(action store.Action, path string, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(o.files, func(_ string, last time.Time) bool { return now.Sub(last) >= calm })
	_, told := o.files[path]
	if !told && len(o.files) == mostFiles {
		return
	}
	o.files[path] = now
	if !told {
		o.log.WithField("path", path).Error(o.store.Failure(action, err))
	}
}

// lost is for a file that a client was promised.
func (o *outage) lost(l loss) {
	o.log.WithField("path", l.path).Error(o.store.Failure(store.Read, cmp.Or(l.err, errShort)))
}

func (o *outage) success(action store.Action) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.away.over() {
		o.log.Infof("%s answers again; it failed %s", o.store, &o.away)
		o.away = trouble{}
	}
	if t := o.limits[action]; t != nil && t.over() {
		o.log.Infof("it is possible again to %s %s; it failed %s", action, o.store, t)
		delete(o.limits, action)
	}
}

// over is for when something was done.
func (t *trouble) over() bool { return !t.began.IsZero() && time.Since(t.last) >= calm }

func (t *trouble) String() string {
	return fmt.Sprintf("%d times in %s", t.failed, t.last.Sub(t.began).Round(time.Second))
}

// told says whether an error is one of what goes wrong now.
func (o *outage) told(err error) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return !o.away.began.IsZero() && o.store.Away(err) || len(o.limits) > 0 && o.store.Limits(err) || len(o.files) > 0 && o.store.OfFile(err)
}

// endedAlready begins what the engine says when it gives up an upload that it could not complete: it has
// committed or closed that before, and most drivers then end nothing. It stays for its client to try again.
const endedAlready = "error canceling upload after error: already "

// quiet leaves out what others say about an outage that is told: the engine some lines for each
// request and one for each check, and those who work beside requests one for each attempt. What is worse
// than worst is not left out.
func (o *outage) quiet(format logrus.Formatter, worst logrus.Level) logrus.Formatter {
	return logging.Without(format, func(entry *logrus.Entry) bool {
		if strings.HasPrefix(entry.Message, endedAlready) {
			return true
		}
		said := entry.Message
		for _, field := range []string{"err.message", "err.detail", logrus.ErrorKey} {
			said += fmt.Sprint(" ", entry.Data[field])
		}
		return entry.Level >= worst && o.told(errors.New(said))
	})
}
