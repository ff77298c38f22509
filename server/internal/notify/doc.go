// Package notify tells other servers by HTTP what is pushed to a registry and deleted from it,
// in the words of the engine's own notifications.
//
// Those are in memory alone, and lost when the server stops. Here an event is written to the
// store before its client has the answer, once for each endpoint, and deleted when the
// endpoint has taken it. A server goes on with what is there when it starts; with several
// servers, each looks now and then for what another one left. So an endpoint gets an event at
// least once: again when a server is killed between the endpoint's answer and the deletion,
// or two of them send it at the same moment. Its ID stays the same.
package notify
