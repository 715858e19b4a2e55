// Makes the unmodified Baileys check the server's certificates for real, loaded before the peer (`node --import`).
// As shipped, rc14 ignores what libsignal's verifySignature answers, and trusts WhatsApp's root only. Both are exported
// and mutable, so the package itself stays untouched: the root becomes the emulator's, and the answer is heeded.
import { Curve, generateSignalPubKey, WA_CERT_DETAILS } from '@whiskeysockets/baileys'
import curve from 'libsignal/src/curve.js'

WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(process.env.RECADO_ROOT, 'hex')

Curve.verify = (publicKey, message, signature) => {
	try {
		return curve.verifySignature(generateSignalPubKey(publicKey), message, signature) === true
	} catch {
		return false
	}
}
