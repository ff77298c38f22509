package credential

import (
	"errors"
	"sync/atomic"
)

// Result is how a login ended.
type Result string

const (
	// Remembered was right before, and is believed without another check.
	Remembered Result = "remembered"
	Right      Result = "right"
	Wrong      Result = "wrong"
	// Limited came after too many wrong ones.
	Limited Result = "limited"
	// Busy came when too many were waiting.
	Busy Result = "busy"
	// Left is one whose client went away.
	Left Result = "left"
)

var allResults = [...]Result{Remembered, Right, Wrong, Limited, Busy, Left}

// results counts them.
type results [len(allResults)]atomic.Int64

func (r *results) add(result Result) {
	for i, each := range allResults {
		if each == result {
			r[i].Add(1)
		}
	}
}

// Results are how many logins ended how.
func (v *Verifier) Results() map[Result]int64 {
	all := map[Result]int64{}
	for i, each := range allResults {
		all[each] = v.results[i].Load()
	}
	return all
}

func resultOf(err error) Result {
	switch {
	case err == nil:
		return Right
	case errors.Is(err, ErrWrong):
		return Wrong
	case err == errBusy:
		return Busy
	case errors.As(err, new(*Refused)):
		return Limited
	default:
		return Left
	}
}
