/* transport_words.c - failures of sockets, HTTP and TLS, in words. */
#include "transport_words.h"

#include <errno.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509.h>
#include <stdlib.h>
#include <string.h>

static const char *of_socket(long os_error, const char *otherwise)
{
    switch (os_error) {
    case ECONNREFUSED: return "connection refused";
    case ECONNRESET:
    case EPIPE:        return "connection reset";
    case ETIMEDOUT:    return "the network does not answer";
    case EHOSTUNREACH: return "no route to the host";
    case ENETUNREACH:  return "no route to the network";
    case EMFILE:
    case ENFILE:       return "too many open files";
    case EADDRNOTAVAIL: return "no local address is free";
    case EACCES:
    case EPERM:        return "this machine forbids the connection";
    default:           return otherwise;
    }
}

int words_tls_error(const char *message)
{
    const char *at = strstr(message, "(-0x");

    return at == NULL ? 0 : -(int)strtol(at + 4, NULL, 16);
}

/* mbedTLS adds the number of a cause in the lower seven bits. */
static const char *of_parsing(int error)
{
    switch (-(-error & ~0x7f)) {
    case MBEDTLS_ERR_X509_UNKNOWN_SIG_ALG:
        return "a certificate's signature is weak, or of a kind not known"
               " here";
    case MBEDTLS_ERR_X509_INVALID_EXTENSIONS:
        return "a certificate has an extension not known here";
    case MBEDTLS_ERR_PK_UNKNOWN_PK_ALG:
    case MBEDTLS_ERR_PK_UNKNOWN_NAMED_CURVE:
        return "a certificate's key is of a kind not known here";
    default:
        return "a certificate is damaged";
    }
}

static bool is_of_parsing(int error)
{
    return error <= MBEDTLS_ERR_X509_FEATURE_UNAVAILABLE &&
           error >= MBEDTLS_ERR_PK_FEATURE_UNAVAILABLE;
}

static const char *of_tls(const struct words_case *c, const char *otherwise)
{
    int error = words_tls_error(c->message);

    if (c->certificate != NULL)
        return c->certificate;
    if (is_of_parsing(error))
        return of_parsing(error);
    switch (error) {
    case MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION:
        return "it speaks neither TLS 1.2 nor 1.3";
    case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE:
        return "it refused the TLS handshake; perhaps it speaks neither"
               " TLS 1.2 nor 1.3";
    case MBEDTLS_ERR_SSL_CONN_EOF:
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
        return "the connection closed in the TLS handshake";
    case MBEDTLS_ERR_SSL_INVALID_RECORD:
        return "it does not speak TLS";
    case MBEDTLS_ERR_SSL_INVALID_MAC:
        return "the TLS connection was tampered with";
    case MBEDTLS_ERR_SSL_BAD_CERTIFICATE:
        return "its certificate is not one for servers";
    default:
        return otherwise;
    }
}

static const char *of_timeout(const struct words_case *c)
{
    if (c->stalled)
        return "the connection stalled";
    if (!c->connected)
        return "connecting took too long";
    return "the reply took too long";
}

const char *words_of(const struct words_case *c)
{
    switch ((int)c->code) {  /* those that HTTP can meet */
    case CURLE_COULDNT_RESOLVE_HOST:
        return "no address is known for the host's name";
    case CURLE_COULDNT_RESOLVE_PROXY:
        return "no address is known for the proxy's name";
    case CURLE_COULDNT_CONNECT:
        return of_socket(c->os_error, "cannot connect");
    case CURLE_OPERATION_TIMEDOUT:
        return of_timeout(c);
    case CURLE_PARTIAL_FILE:
        return "the reply was cut short";
    case CURLE_GOT_NOTHING:
        return "the connection closed without a reply";
    case CURLE_SEND_ERROR:
    case CURLE_SEND_FAIL_REWIND:
        return of_socket(c->os_error, "the connection broke while sending");
    case CURLE_RECV_ERROR:
        return of_tls(c, of_socket(c->os_error, "the connection broke while"
                                                " receiving"));
    case CURLE_PEER_FAILED_VERIFICATION:
        return of_tls(c, "its certificate was refused");
    case CURLE_SSL_CONNECT_ERROR:
        return of_tls(c, "the TLS handshake failed");
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return "what it answers is not HTTP/1.1";
    case CURLE_TOO_LARGE:
        return "the reply's head is too long";
    case CURLE_URL_MALFORMAT:
        return "the URL is malformed";
    case CURLE_PROXY:
        return "the proxy refused";
    default:
        return curl_easy_strerror(c->code);  /* a literal, too */
    }
}

bool words_lasting(const struct words_case *c)
{
    int error = words_tls_error(c->message);

    if (c->code == CURLE_PEER_FAILED_VERIFICATION)
        return true;
    if (c->code != CURLE_SSL_CONNECT_ERROR)
        return false;
    return c->certificate != NULL || is_of_parsing(error) ||
           error == MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION ||
           error == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE ||
           error == MBEDTLS_ERR_SSL_INVALID_RECORD ||
           error == MBEDTLS_ERR_SSL_BAD_CERTIFICATE;
}
