package clientaddress

import "testing"

func TestNetwork(t *testing.T) {
	tests := []struct{ remote, want string }{
		{"192.0.2.7:1234", "192.0.2.7/32"},
		{"[::ffff:192.0.2.7]:1234", "192.0.2.7/32"},
		{"[2001:db8:1:2:3:4:5:6]:1234", "2001:db8:1:2::/64"},
		{"[fe80::1%eth0]:1234", "fe80::/64"},
		{"@", "invalid Prefix"},
		{"", "invalid Prefix"},
	}
	for _, test := range tests {
		if got := Network(test.remote).String(); got != test.want {
			t.Errorf("%q: %s, want %s", test.remote, got, test.want)
		}
	}
}
