/* trust.h - which certificate authorities vouch for which host.
 *
 * AWS's hosts (under amazonaws.com and api.aws) are held against Amazon's own
 * roots, compiled in from the package ca-certificates. Any other host (also
 * those of AWS's partitions in China and the EU, whose certificates come from
 * elsewhere) is held against the machine's bundle of roots, or the one that
 * the user names, which then stands for both. Verification cannot be turned
 * off.
 *
 * A bundle is never parsed as a whole (144 roots would take 414 KiB of the
 * pool): the file stays open, and is searched for the issuer in question at
 * each handshake, about a millisecond for the system's. A file that is
 * replaced meanwhile counts from the next start on.
 *
 * TLS is 1.2 or 1.3 with ECDHE and AEAD ciphers, AES-128-GCM first because it
 * costs the least. PKCS#1 signatures are offered before PSS: mbedTLS refuses
 * PSS under TLS 1.2, and servers take the first they know. Name constraints
 * are not known to mbedTLS 3.6: a certificate with critical ones is refused,
 * others are not applied. */
#ifndef FIRN_PLATFORM_TRUST_H
#define FIRN_PLATFORM_TRUST_H

#include <mbedtls/ssl.h>

#include "base/error.h"

enum { TRUST_DEMOTED = 4 };  /* hosts remembered */

struct trust {
    mbedtls_x509_crt amazon;  /* parsed once, shared by all connections */
    int      bundle;          /* file descriptor, or -1 */
    uint64_t bundle_bytes;
    bool     replaced;        /* the user's bundle stands for all hosts */
    uint64_t demoted[TRUST_DEMOTED];  /* hashes of hosts: TLS 1.2, no PSS */
    uint32_t demoted_count;
};

/* What verification found, for one connection; lives as long as it. */
struct verdict {
    struct trust *trust;
    uint32_t      flags;      /* MBEDTLS_X509_BADCERT_..., of the chain */
    bool          self_signed;
    bool          lost;       /* there was no bundle to look in */
};

/* `bundle` is a path, or NULL or "" for the system's, which may be missing.
 * Call it before the lock. False: a bundle was named and cannot be read, or
 * holds no certificate; a sentence in `fault`. */
bool trust_init(struct trust *t, const char *bundle, struct fault *fault);
/* Arms the TLS configuration of one connection to `host`. */
void trust_apply(struct trust *t, mbedtls_ssl_config *config,
                 struct view host, struct verdict *verdict);
/* After a handshake with `host` failed for an illegal parameter: false if it
 * was for TLS 1.2 without PSS already, else the next one will be. */
bool trust_demote(struct trust *t, struct view host);
/* Then the handle must not offer TLS 1.3 either: curl has told mbedTLS so
 * before a configuration is armed. */
bool trust_is_demoted(const struct trust *t, struct view host);
/* Why the certificate was refused, in a few literal words; NULL: it was
 * not. */
const char *trust_reason(const struct verdict *v);
/* Whether `host` is one of AWS's that Amazon's roots vouch for. */
bool trust_is_amazon(struct view host);

#endif
