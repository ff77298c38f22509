package garbage

import (
	"errors"
	"io"
	"io/fs"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"container-registry/server/internal/fence"
	"container-registry/server/internal/garbage/retention"
	"container-registry/server/internal/registrytest"
	"container-registry/server/internal/store"
)

func TestOptions(t *testing.T) {
	tests := []struct {
		name, yaml string
		want       Options
	}{
		{"none", "storage: {inmemory: {}}", Options{Retention: retention.Policy{DryRun: true}}},
		{"rules are tried first", "storage: {inmemory: {}, maintenance: {garbagecollection: {retention: {rules: [{keepdays: 3}]}}}}", Options{
			Retention: retention.Policy{DryRun: true, Rules: []retention.Rule{{KeepDays: 3}}},
		}},
		{
			"all",
			"storage: {inmemory: {}, maintenance: {garbagecollection: {schedule: '0 3 * * *', timezone: Asia/Tokyo, deleteuntagged: true, grace: 1h30m, " +
				"retention: {dryrun: false, alwayskeep: ['v*'], rules: [{repositories: [a, b/*], keepnewest: 2, keepdays: 3, keeptags: [c]}]}}}}",
			Options{
				Schedule: "0 3 * * *", TimeZone: "Asia/Tokyo", DeleteUntagged: true, Grace: 90 * time.Minute,
				Retention: retention.Policy{AlwaysKeep: []string{"v*"}, Rules: []retention.Rule{{Repositories: []string{"a", "b/*"}, KeepNewest: 2, KeepDays: 3, KeepTags: []string{"c"}}}},
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := OptionsOf(registrytest.Parse(t, test.yaml))
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

// TestFullStore expects the error to say what to do.
func TestFullStore(t *testing.T) {
	spy := registrytest.NewSpy(folder(t))
	spy.Before = func(action, path string) error {
		if action == "put" {
			return &fs.PathError{Op: "write", Path: path, Err: syscall.ENOSPC}
		}
		return nil
	}
	c := New(spy, fence.New(spy, "a", quick, fence.NoCache{}), Options{}, registrytest.Silent())
	c.store = store.Of(registrytest.Parse(t, "storage: {filesystem: {rootdirectory: /data}}"))
	if _, err := c.Collect(t.Context(), Request{}, io.Discard); err == nil || !strings.Contains(err.Error(), "it is full; make space") || !errors.Is(err, syscall.ENOSPC) {
		t.Error(err)
	}
}
