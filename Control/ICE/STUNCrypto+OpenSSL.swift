import Crypto
package import STUN

extension STUNCrypto {
    /// STUN's cryptography by OpenSSL.
    ///
    /// It stands here and not in `Crypto`, which the agent needs too: STUN reads spans, and the agent's compiler has none.
    package static let openSSL = STUNCrypto(
        random: { randomBytes($0) },
        makeCode: { key in
            let code = HMACSHA1(key: key)
            return { code.tag(over: $0) }
        }
    )
}
