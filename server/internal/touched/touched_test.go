package touched

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/opencontainers/go-digest"
)

const anyBlob = digest.Digest("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")

// deletes says whether nobody counts on it.
func (t *Set) deletes(d digest.Digest) bool {
	done, _ := t.Delete(d, func() error { return nil })
	return done
}

func (t *Set) touch(test *testing.T, repository string, d digest.Digest) (answered func(exists bool)) {
	answered, err := t.Touch(test.Context(), repository, d)
	if err != nil {
		test.Error(err)
	}
	return answered
}

func TestTouched(t *testing.T) {
	const d = anyBlob
	synctest.Test(t, func(t *testing.T) {
		x := New(time.Hour)
		if !x.deletes(d) {
			t.Error("nobody counts on it")
		}
		first, second, other := x.touch(t, "a", d), x.touch(t, "a", d), x.touch(t, "b", d)
		if x.deletes(d) || !x.InUse("a") || x.InUse("c") {
			t.Error("somebody counts on it")
		}
		second(true)
		other(true)
		// Who is told that it is not there takes nothing from those who were told that it is.
		first(false)
		if !x.InUse("a") {
			t.Error("the second counts on it")
		}
		x.Settle("a", d)
		if x.deletes(d) || x.InUse("a") {
			t.Error("b counts on it")
		}
		// However long a request takes, and whoever pushes meanwhile.
		slow := x.touch(t, "b", d)
		time.Sleep(2 * time.Hour)
		x.Settle("b", d)
		if x.deletes(d) {
			t.Error("it is being asked for")
		}
		slow(true)
		time.Sleep(time.Hour - time.Second)
		if x.deletes(d) {
			t.Error("the hour begins with the answer")
		}
		time.Sleep(time.Second)
		if !x.deletes(d) || len(x.counts) > 1 {
			t.Error("it is not forgotten")
		}
		x.touch(t, "a", anyBlob)(false)
		if len(x.counts) > 0 {
			t.Errorf("left are %v", x.counts)
		}
	})
}

// TestTouchedMeanwhile waits for the end of a deletion, and finds out after it.
func TestTouchedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := New(time.Hour)
		end, is := make(chan struct{}), false
		go func() {
			_, _ = x.Delete(anyBlob, func() error {
				<-end
				return nil
			})
		}()
		synctest.Wait()
		go func() {
			x.touch(t, "a", anyBlob)
			is = true
		}()
		synctest.Wait()
		if is {
			t.Error("it did not wait")
		}
		close(end)
		synctest.Wait()
		if !is || x.deletes(anyBlob) {
			t.Error("it is deleted once more")
		}
	})
}
