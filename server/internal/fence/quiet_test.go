package fence

import (
	"bytes"
	"testing"

	"github.com/sirupsen/logrus"
)

// TestQuiet leaves out manifests that the engine takes for invalid but that were only not admitted.
func TestQuiet(t *testing.T) {
	var said bytes.Buffer
	engine := logrus.New()
	engine.SetOutput(&said)
	Quiet(engine)
	for _, reason := range []error{errPaused, errSilent} {
		engine.Errorf("unknown error reading request payload: %v", reason)
		engine.WithField("err.detail", reason.Error()).Error("response completed with error")
	}
	if said.Len() > 0 {
		t.Error(&said)
	}
	engine.WithField("err.detail", "no such layer").Error("response completed with error")
	if said.Len() == 0 {
		t.Error("it is silent about others")
	}
}
