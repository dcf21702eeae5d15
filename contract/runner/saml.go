package main

import (
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"time"
)

func samlMetadata(entityID string) string {
	return `<?xml version="1.0"?><md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="` + entityID + `">` +
		`<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` +
		`<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>` + samlCert +
		`</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>` +
		`<md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</md:NameIDFormat>` +
		`<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.contract.test/sso"/>` +
		`</md:IDPSSODescriptor></md:EntityDescriptor>`
}

// samlRequestID reads the ID of a deflated, base64-encoded AuthnRequest.
func samlRequestID(req string) (string, error) {
	raw, err := base64.StdEncoding.DecodeString(req)
	if err != nil {
		return "", err
	}
	xml, err := io.ReadAll(flate.NewReader(bytes.NewReader(raw)))
	if err != nil {
		return "", err
	}
	_, after, ok := strings.Cut(string(xml), ` ID="`)
	if !ok {
		return "", fmt.Errorf("no ID in AuthnRequest")
	}
	id, _, _ := strings.Cut(after, `"`)
	return id, nil
}

type samlAssertion struct {
	Entity, ACS, Audience, InResponseTo, NameID, Format string
	Attributes                                          map[string]any
	TTL                                                 time.Duration
	Unsigned                                            bool
}

// response builds a signed SAML response. All parts are written in exclusive
// canonical form, so digest and signature can be taken from the text itself.
func (a samlAssertion) response() string {
	now := time.Now().UTC()
	ts := func(d time.Duration) string { return now.Add(d).Format("2006-01-02T15:04:05Z") }
	id := "_a" + randomString(30, "0123456789abcdef")
	irt := ""
	if a.InResponseTo != "" {
		irt = ` InResponseTo="` + a.InResponseTo + `"`
	}
	issuer := `<saml:Issuer>` + xmlEscape.Replace(a.Entity) + `</saml:Issuer>`
	open := `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="` + id + `" IssueInstant="` + ts(0) + `" Version="2.0">`
	rest := `<saml:Subject>`
	if a.NameID != "" {
		rest += `<saml:NameID Format="` + a.Format + `">` + xmlEscape.Replace(a.NameID) + `</saml:NameID>`
	}
	rest += `<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData` + irt +
		` NotOnOrAfter="` + ts(a.TTL) + `" Recipient="` + a.ACS + `"></saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject>` +
		`<saml:Conditions NotBefore="` + ts(-10*time.Minute) + `" NotOnOrAfter="` + ts(a.TTL) + `"><saml:AudienceRestriction><saml:Audience>` + a.Audience + `</saml:Audience></saml:AudienceRestriction></saml:Conditions>` +
		`<saml:AuthnStatement AuthnInstant="` + ts(0) + `"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`
	if len(a.Attributes) > 0 {
		rest += `<saml:AttributeStatement>`
		for _, k := range sortedNames(a.Attributes) {
			vals, ok := a.Attributes[k].([]any)
			if !ok {
				vals = []any{a.Attributes[k]}
			}
			rest += `<saml:Attribute Name="` + xmlEscape.Replace(k) + `" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:basic">`
			for _, v := range vals {
				rest += `<saml:AttributeValue>` + xmlEscape.Replace(toString(v)) + `</saml:AttributeValue>`
			}
			rest += `</saml:Attribute>`
		}
		rest += `</saml:AttributeStatement>`
	}
	rest += `</saml:Assertion>`
	sig := ""
	if !a.Unsigned {
		digest := sha256.Sum256([]byte(open + issuer + rest))
		const alg = `<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></ds:SignatureMethod>`
		inner := alg + `<ds:Reference URI="#` + id + `"><ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform><ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:Transform></ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod><ds:DigestValue>` + base64.StdEncoding.EncodeToString(digest[:]) + `</ds:DigestValue></ds:Reference></ds:SignedInfo>`
		sum := sha256.Sum256([]byte(`<ds:SignedInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">` + inner))
		s, _ := rsa.SignPKCS1v15(rand.Reader, samlKey, crypto.SHA256, sum[:])
		sig = `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo>` + inner + `<ds:SignatureValue>` + base64.StdEncoding.EncodeToString(s) +
			`</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>` + samlCert + `</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>`
	}
	doc := `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" Destination="` + a.ACS + `" ID="_r` + randomString(30, "0123456789abcdef") + `"` + irt + ` IssueInstant="` + ts(0) + `" Version="2.0">` +
		`<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">` + xmlEscape.Replace(a.Entity) + `</saml:Issuer>` +
		`<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"></samlp:StatusCode></samlp:Status>` +
		open + issuer + sig + rest + `</samlp:Response>`
	return base64.StdEncoding.EncodeToString([]byte(doc))
}
