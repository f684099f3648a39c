import Glibc

/// All of standard input.
///
/// - Returns: nil where that is more than `limit` bytes, or cannot be read.
package func readStandardInput(upTo limit: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: limit + 1)
    var have = 0
    while have < bytes.count {
        let count = bytes.withUnsafeMutableBytes { read(STDIN_FILENO, $0.baseAddress.map { $0 + have }, $0.count - have) }
        if count < 0 && errno == EINTR { continue }
        guard count >= 0 else { return nil }
        if count == 0 { break }
        have += count
    }
    return have <= limit ? Array(bytes.prefix(have)) : nil
}

/// - Returns: whether all of it could be written.
package func writeStandardOutput(_ bytes: [UInt8]) -> Bool {
    var written = 0
    while written < bytes.count {
        let count = bytes.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress.map { $0 + written }, bytes.count - written) }
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { return false }
        written += count
    }
    return true
}
