// Package credential checks passwords without paying for bcrypt on every request,
// and without letting those who guess take the processors.
package credential

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"container-registry/server/internal/attempts"
	"container-registry/server/internal/htpasswd"
)

// longestQueue is how many passwords may wait to be checked. Each takes a good part of
// a second, so whoever comes later has a better chance by asking again.
const longestQueue = 256

// ErrWrong is a user or a password that is not right.
var ErrWrong = errors.New("unknown user or wrong password")

// Refused is a credential that was not looked at.
type Refused struct {
	Reason string
	Wait   time.Duration
	// address is the one that failed too often.
	address netip.Prefix
}

func (r *Refused) Error() string {
	return fmt.Sprintf("%s; try again in %s", r.Reason, r.Wait)
}

var errBusy = &Refused{Reason: "too many logins at once", Wait: time.Second}

// refused is nil when the address did not fail too often.
func (v *Verifier) refused(address netip.Prefix, name string) error {
	wait := v.failures.Refused(address, name, time.Now())
	if wait == 0 {
		return nil
	}
	return &Refused{"too many failed logins from this address", wholeSeconds(wait), address}
}

// wholeSeconds are not fewer than the wait: who comes back after them is let in.
func wholeSeconds(wait time.Duration) time.Duration {
	return (wait + time.Second - 1).Truncate(time.Second)
}

// Verifier checks credentials. It keeps no password.
type Verifier struct {
	macs     sync.Pool // of hash.Hash, with the key of this process
	cache    *cache
	failures *attempts.Limiter
	flights  flights
	turns    turns
	results  results
}

// New makes a verifier. A size or a ttl of 0 turns its memory off.
func New(size int, ttl time.Duration, failures *attempts.Limiter) *Verifier {
	v := &Verifier{
		cache:    newCache(size, ttl),
		failures: failures,
		flights:  flights{all: map[question]*flight{}},
		// Half of the processors check passwords, so that the others go on serving those
		// who are known.
		turns: turns{queue: longestQueue, free: max(1, runtime.GOMAXPROCS(0)/2)},
	}
	secret := make([]byte, sha256.Size)
	// Never fails, by its documentation.
	_, _ = rand.Read(secret)
	v.macs.New = func() any {
		mac := hmac.New(sha256.New, secret)
		// From its first reset on, a MAC returns to a saved state, which is fast.
		mac.Reset()
		return mac
	}
	return v
}

// Verify returns which password it is, or ErrWrong, a *Refused, or the error of ctx. A
// credential that was right before is not affected by failures from the same address.
func (v *Verifier) Verify(ctx context.Context, users *htpasswd.Users, address netip.Prefix, name, password string) (htpasswd.Password, error) {
	k := v.key(name, password)
	if found, ok := v.cache.holds(users.Sum(), k, time.Now()); ok {
		v.results.add(Remembered)
		return found, nil
	}
	found, err := v.look(ctx, users, address, k, name, password)
	v.results.add(resultOf(err))
	return found, err
}

// look is for what is not remembered.
func (v *Verifier) look(ctx context.Context, users *htpasswd.Users, address netip.Prefix, k key, name, password string) (htpasswd.Password, error) {
	for {
		if err := v.refused(address, name); err != nil {
			return "", err
		}
		found, err := v.flights.wait(ctx, question{k, users.Sum()}, func(ctx context.Context) (htpasswd.Password, error) {
			return v.check(ctx, users, address, k, name, password)
		})
		var refused *Refused
		if errors.As(err, &refused) && refused != errBusy && refused.address != address {
			// The address that asked first is refused, not this one.
			continue
		}
		return found, err
	}
}

// check pays for bcrypt, unless nobody waits for the result any more when its turn comes. It goes
// on when the client that asked is gone and others wait.
func (v *Verifier) check(ctx context.Context, users *htpasswd.Users, address netip.Prefix, k key, name, password string) (htpasswd.Password, error) {
	if !v.turns.take(ctx, address) {
		return "", errBusy
	}
	defer v.turns.give()
	if err := ctx.Err(); err != nil {
		return "", err
	}
	// Again, as many guesses may have been sent at once and waited together.
	if err := v.refused(address, name); err != nil {
		return "", err
	}
	found, ok := users.Check(name, password)
	if !ok {
		v.failures.Fail(address, name, time.Now())
		return "", ErrWrong
	}
	v.cache.add(users.Sum(), k, found, time.Now())
	return found, nil
}

func (v *Verifier) key(name, password string) (k key) {
	message := make([]byte, 0, 8+len(name)+len(password))
	message = binary.BigEndian.AppendUint64(message, uint64(len(name)))
	message = append(message, name...)
	message = append(message, password...)
	mac := v.macs.Get().(hash.Hash)
	mac.Write(message)
	mac.Sum(k[:0])
	clear(message)
	// Also wipes what the hash still holds of the message.
	mac.Reset()
	v.macs.Put(mac)
	return k
}
