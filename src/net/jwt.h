/* JSON web tokens signed with an RSA key (RS256). Source: RFC 7515, RFC 7518 section 3.3. */
#ifndef NET_JWT_H
#define NET_JWT_H

#include "base/arena.h"
#include "base/err.h"

/* The compact form of header and claims (JSON texts) signed with the private key (PEM), in the
 * arena. ERR_AUTH: the key is no RSA private key. */
int jwt_sign_rs256(struct str header, struct str claims, struct str key_pem, struct arena *mem,
		   struct str *out, struct err *err);

#endif
