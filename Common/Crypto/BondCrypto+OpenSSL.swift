package import BondWire

extension BondCrypto {
    /// The bonded link's cryptography by OpenSSL.
    package static let openSSL = BondCrypto(
        random: { randomBytes($0) },
        hmac: { HMAC256.authenticate($1, key: $0) },
        makeCipher: { GCMCipher(key: $0) }
    )
}

/// AES-128-GCM over two contexts that keep the key.
private final class GCMCipher: PacketCipher {
    private let sealing: PacketGCM
    private let opening: PacketGCM

    init(key: [UInt8]) {
        sealing = PacketGCM(key: key, .sealing)
        opening = PacketGCM(key: key, .opening)
    }

    func seal(_ bytes: inout [UInt8], clear: Int, nonce: PacketNonce) {
        let end = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: AESGCM.tagBytes))
        bytes.withUnsafeMutableBytes { buffer in
            guard let start = buffer.baseAddress else { return }
            let all = UnsafeRawBufferPointer(buffer)
            sealing.seal(
                UnsafeRawBufferPointer(rebasing: all[clear..<end]), clear: UnsafeRawBufferPointer(rebasing: all[..<clear]), nonce: nonce,
                to: start + clear)
        }
    }

    func open(_ bytes: inout [UInt8], clear: Int, nonce: PacketNonce) -> Bool {
        guard bytes.count >= clear + AESGCM.tagBytes else { return false }
        let isAuthentic = bytes.withUnsafeMutableBytes { buffer in
            opening.open(
                UnsafeMutableRawBufferPointer(rebasing: buffer[clear...]),
                clear: UnsafeRawBufferPointer(UnsafeMutableRawBufferPointer(rebasing: buffer[..<clear])), nonce: nonce)
        }
        bytes.removeLast(AESGCM.tagBytes)
        return isAuthentic
    }
}
