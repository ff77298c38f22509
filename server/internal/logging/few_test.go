package logging

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sirupsen/logrus"
)

func TestFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := logrus.New()
		log.SetOutput(&out)
		few := NewFew(logrus.NewEntry(log), "requests")
		for _, flood := range []int{3, mostOfASecond, mostOfASecond + 1200} {
			taken := 0
			for range flood {
				if few.Take() {
					taken++
				}
			}
			if want := min(flood, mostOfASecond); taken != want {
				t.Errorf("%d of %d lines, want %d", taken, flood, want)
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if told := strings.Contains(out.String(), `"1200 more requests are not in the log"`); told != (flood > mostOfASecond) {
				t.Errorf("after %d: %s", flood, &out)
			}
		}
		if lines := strings.Count(out.String(), "\n"); lines != 1 {
			t.Errorf("told %d times", lines)
		}
	})
}
