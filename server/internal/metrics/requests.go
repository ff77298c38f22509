package metrics

import (
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"container-registry/server/internal/healthcheck"
	"container-registry/server/internal/paths"
	"container-registry/server/internal/status"
)

// Requests counts all requests, including those that never reach the engine.
type Requests struct {
	all, refused *prometheus.CounterVec
	base         string
}

// CountRequests makes the counters of a server with this http.prefix.
func CountRequests(prefix string) *Requests {
	r := &Requests{
		prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "registry_requests_total",
			Help: "All requests, those too that are answered before they come to the engine.",
		}, []string{"route", "method", "code"}),
		prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "registry_pushes_refused_total",
			Help: "Requests of pushes that were refused, but for want of a login.",
		}, []string{"reason"}),
		paths.Base(prefix),
	}
	// Prometheus would not see the first refusal in a series that did not exist before.
	for _, each := range []string{denied, readOnly, limited, unavailable, invalid, failed} {
		r.refused.WithLabelValues(each)
	}
	return r
}

// Reasons to refuse a push.
const (
	denied      = "denied"
	readOnly    = "read-only"
	limited     = "limited"
	unavailable = "unavailable"
	invalid     = "invalid"
	failed      = "failed"
)

// Handler wraps all other handlers.
func (r *Requests) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		route, method := r.route(request.URL.Path), methodOf(request.Method)
		code := http.StatusOK
		// A handler that gives up in the middle of an answer is counted too.
		defer func() {
			r.all.WithLabelValues(route, method, strconv.Itoa(code)).Inc()
			if reason := refusalOf(route, method, code); reason != "" {
				r.refused.WithLabelValues(reason).Inc()
			}
		}()
		next.ServeHTTP(status.Watch(w, func(given int) { code = given }), request)
	})
}

// route says what is asked for, without the parts that the client chose.
func (r *Requests) route(asked string) string {
	if asked == "/" || asked == healthcheck.Path {
		return "health"
	}
	rest, ok := strings.CutPrefix(asked, r.base)
	if !ok {
		return "other"
	}
	if rest == "v2/auth" {
		return "token"
	}
	if rest == "ui" || strings.HasPrefix(rest, "ui/") {
		return "page"
	}
	rest, ok = strings.CutPrefix(rest, "v2/")
	parent := path.Dir(rest)
	switch {
	case !ok:
		return "other"
	case rest == "":
		return "ping"
	case rest == "_catalog":
		return "catalog"
	case strings.HasSuffix(rest, "/tags/list"):
		return "tags"
	case path.Base(parent) == "manifests":
		return "manifest"
	case path.Base(parent) == "referrers":
		return "referrers"
	case strings.HasSuffix(parent, "/blobs/uploads"), strings.HasSuffix(rest, "/blobs/uploads"):
		return "upload"
	case path.Base(parent) == "blobs":
		return "blob"
	default:
		return "other"
	}
}

func methodOf(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	default:
		return "other"
	}
}

// clientLeft is the engine's status for a client that left before its request was complete.
const clientLeft = 499

// refusalOf returns the reason why a push was refused, if it was. A missing login does not count: clients
// first ask without one to be told how to log in.
func refusalOf(route, method string, status int) string {
	writes := method == http.MethodPut || method == http.MethodPost || method == http.MethodPatch
	if !writes || route != "manifest" && route != "upload" || status < http.StatusBadRequest || status == http.StatusUnauthorized {
		return ""
	}
	switch status {
	case clientLeft:
		return ""
	case http.StatusForbidden:
		return denied
	case http.StatusMethodNotAllowed:
		return readOnly
	case http.StatusTooManyRequests:
		return limited
	case http.StatusServiceUnavailable:
		return unavailable
	}
	if status < http.StatusInternalServerError {
		return invalid
	}
	return failed
}
