import COpenSSL

/// The proof that a server understood a WebSocket handshake: base64 of the SHA-1 of key and GUID (RFC 6455 section 4.2.2).
///
/// Here because it is the one use of SHA-1, which protects nothing.
package func webSocketAccept(key: String) -> String {
    let input = Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)
    var digest = [UInt8](repeating: 0, count: Int(SHA_DIGEST_LENGTH))
    SHA1(input, input.count, &digest)
    return base64(digest)
}

/// Base64 with padding, of the standard alphabet (RFC 4648 section 4).
package func base64(_ bytes: [UInt8]) -> String {
    var text = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
    let count = EVP_EncodeBlock(&text, bytes, CInt(bytes.count))
    return String(decoding: text.prefix(Int(count)), as: UTF8.self)
}
