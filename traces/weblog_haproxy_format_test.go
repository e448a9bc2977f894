package traces

import "testing"

// TestIsHAProxyConfig tells HAProxy's configuration from nginx's, which has some of its words.
func TestIsHAProxyConfig(t *testing.T) {
	for text, want := range map[string]bool{
		"global\n  daemon\nfrontend www\n  bind :80\n":                              true,
		"listen stats # of today\n  bind :81\n":                                     true,
		"server {\n  listen 443 ssl; # managed by Certbot\n  server_name a.org;\n}": false,
		"server {\n  listen 80;\n}":                                                 false,
		"logformat x %ts\n":                                                         false,
	} {
		if got := isHAProxyConfig(text); got != want {
			t.Errorf("%q: %t, want %t", text, got, want)
		}
	}
}
