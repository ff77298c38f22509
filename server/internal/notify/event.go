package notify

import (
	"crypto/rand"
	"encoding/json"
	"os"
	"path"
	"strings"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/notifications"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"container-registry/server/internal/logging"
	"container-registry/server/internal/writes"
)

const (
	// mostOfText is what a client may take of an event by a text that it chooses.
	mostOfText = 256
	// mostOfEnvelope is how many events go together: an image may have thousands of tags, of
	// which each deletion is an event.
	mostOfEnvelope = 500
)

// source is the server that events come from.
type source struct {
	notifications.SourceRecord
	// base is the URL of the API; without http.host no event says where its content is, since
	// only the client has said how it reached the registry.
	base string
}

func sourceOf(http configuration.HTTP) source {
	// Without a name of the machine the instance is still one.
	name, _ := os.Hostname()
	s := source{SourceRecord: notifications.SourceRecord{Addr: name, InstanceID: rand.Text()}}
	if http.Host != "" {
		s.base = strings.TrimSuffix(http.Host, "/") + path.Join("/", http.Prefix, "v2") + "/"
	}
	return s
}

// eventsOf are those that the engine would tell of: one for a manifest, with its tag, and one
// for each other tag. Pushed blobs are none: an image without its manifest is no news.
func (s source) eventsOf(w writes.Write) []notifications.Event {
	if w.Kind == writes.Blob {
		return nil
	}
	request := rand.Text()
	event := func(tag string, withContent bool) notifications.Event {
		e := notifications.Event{
			ID:        rand.Text(),
			Timestamp: w.Time.UTC(),
			Action:    string(w.Action),
			Request: notifications.RequestRecord{
				ID:        request,
				Addr:      logging.Bound(w.Address, mostOfText),
				Method:    map[writes.Action]string{writes.Push: "PUT", writes.Delete: "DELETE"}[w.Action],
				UserAgent: logging.Bound(w.UserAgent, mostOfText),
			},
			Actor:  notifications.ActorRecord{Name: logging.Bound(w.User, mostOfText)},
			Source: s.SourceRecord,
		}
		e.Target.Repository, e.Target.Tag = logging.Bound(w.Repository, mostOfText), logging.Bound(tag, mostOfText)
		if withContent {
			e.Target.Descriptor = v1.Descriptor{MediaType: logging.Bound(w.MediaType, mostOfText), Digest: w.Digest, Size: w.Size}
			e.Target.Length = w.Size
			if s.base != "" && w.Action == writes.Push {
				e.Target.URL = s.base + e.Target.Repository + "/manifests/" + w.Digest.String()
			}
		}
		return e
	}
	var list []notifications.Event
	if w.Kind == writes.Manifest && (w.Action == writes.Delete || len(w.Tags) == 0) {
		list = append(list, event("", true))
	}
	for _, tag := range w.Tags {
		list = append(list, event(tag.Name, w.Action == writes.Push))
	}
	return list
}

// envelope is what is sent at once, and kept under a name by which it comes in order.
type envelope struct {
	name    string
	content []byte
}

// content is the engine's envelope, whose own type takes events of any kind.
type content struct {
	Events []notifications.Event `json:"events"`
}

// timeOfName has as many digits for every time.
const timeOfName = "20060102T150405.000000000Z"

func envelopesOf(list []notifications.Event, at time.Time) ([]envelope, error) {
	var all []envelope
	for begin := 0; begin < len(list); begin += mostOfEnvelope {
		content, err := json.Marshal(content{list[begin:min(begin+mostOfEnvelope, len(list))]})
		if err != nil {
			return nil, err
		}
		all = append(all, envelope{at.UTC().Format(timeOfName) + "-" + rand.Text(), content})
		at = at.Add(time.Nanosecond)
	}
	return all, nil
}

// timeOf is when the events under a name happened.
func timeOf(name string) (time.Time, error) {
	stamp, _, _ := strings.Cut(name, "-")
	return time.Parse(timeOfName, stamp)
}
