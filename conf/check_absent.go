package conf

import "strings"

// checkAbsent warns of features that are switched on but that this version does
// not have: it answers as if they were off.
func (c *Config) checkAbsent(r *report) {
	check := func(variable string, enabled bool) {
		if enabled {
			r.warn(variable, "this version does not have the feature; it stays off")
		}
	}
	check("GOTRUE_SAML_ENABLED", c.SAML.Enabled)
	check("GOTRUE_PASSKEY_ENABLED", c.Passkey.Enabled)
	check("GOTRUE_EXTERNAL_WEB3_SOLANA_ENABLED", c.External.Web3Solana.Enabled)
	check("GOTRUE_EXTERNAL_WEB3_ETHEREUM_ENABLED", c.External.Web3Ethereum.Enabled)
	for _, name := range ProviderNames() {
		check("GOTRUE_EXTERNAL_"+strings.ToUpper(name)+"_ENABLED", c.External.Providers[name].Enabled)
	}
}
