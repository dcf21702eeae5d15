package models

// The audited actions of second factors.
const (
	AuditFactorInProgress      AuditAction = "factor_in_progress"
	AuditFactorUnenrolled      AuditAction = "factor_unenrolled"
	AuditFactorUpdated         AuditAction = "factor_updated"
	AuditFactorDeleted         AuditAction = "factor_deleted"
	AuditChallengeCreated      AuditAction = "challenge_created"
	AuditVerificationAttempted AuditAction = "verification_attempted"

	AuditRecoveryCodesGenerated   AuditAction = "recovery_codes_generated"
	AuditRecoveryCodesRegenerated AuditAction = "recovery_codes_regenerated"
	AuditRecoveryCodesDeleted     AuditAction = "recovery_codes_deleted"
)

// From returns the trail with the address that its request came from, which
// the entries about factors, passkeys and identities carry.
func (t AuditTrail) From(ip string) AuditTrail {
	marked := make(AuditTrail, len(t))
	for i, entry := range t {
		entry.IPAddress = ip
		marked[i] = entry
	}
	return marked
}
