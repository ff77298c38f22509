package metrics

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/audit"
	"container-registry/server/internal/config"
	"container-registry/server/internal/notify"
	"container-registry/server/internal/writes"
)

func TestReporters(t *testing.T) {
	log := logrus.NewEntry(logrus.New())
	record, err := audit.Open(t.TempDir(), log)
	if err != nil {
		t.Fatal(err)
	}
	defer record.Close()
	sender := notify.New([]config.Notification{{Name: "hook", URL: "http://127.0.0.1:1"}}, inmemory.New(), configuration.HTTP{}, log)
	write := writes.Write{Time: time.Now(), Action: writes.Push, Kind: writes.Manifest, Repository: "team/app"}
	record.Observe(t.Context(), write)
	sender.Observe(t.Context(), write)
	answer := httptest.NewRecorder()
	Handler(Sources{Audit: record, Notifications: sender}).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{"registry_audit_records_total 1\n", "registry_audit_lost_records_total 0\n", `registry_notifications_waiting_envelopes{endpoint="hook"} 1` + "\n",
		// An alert sees the first one only if the series was there before, with 0.
		`registry_notifications_dropped_total{endpoint="hook",reason="too-many"} 0` + "\n"} {
		if !strings.Contains(answer.Body.String(), want) {
			t.Errorf("no %q", want)
		}
	}
}
