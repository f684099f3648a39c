/// Why a blob is not written or read. The words of `damaged`, `badParts`, `away` and `refused` tell how the server is set up: they are for
/// whoever operates it.
package enum BlobError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Less than 5 % of the disk is free, or none.
    case diskFull
    /// The organisation has as much as it may, bytes.
    case quota(used: Int, limit: Int)
    case tooLarge(Int, atMost: Int)
    /// What is read is not what was written.
    case damaged(String)
    /// The range begins behind the object's end.
    case beyondEnd
    /// There is no such upload: it was put together or given up.
    case noUpload
    /// What is put together is not what was sent.
    case badParts(String)
    /// The store does not answer, or cannot do it now.
    case away(String)
    /// The store refuses what it is asked: somebody has to set something right.
    case refused(String)

    package var description: String {
        switch self {
        case .diskFull: "less than 5 % of the server's disk is free; no file was stored"
        case .quota(let used, let limit):
            "the organisation has stored \(used >> 20) MiB of \(limit >> 20); remove something, or ask the operator for more"
        case .tooLarge(let count, let most): "it has \(count) bytes; at most \(most) are taken at once"
        case .damaged(let key): "\(key) is not what was stored: its digest is another"
        case .beyondEnd: "the range begins behind the end"
        case .noUpload: "there is no such upload any more"
        case .badParts(let reason): "the parts do not make the whole: \(reason)"
        case .away(let reason): "the store of files is away: \(reason)"
        case .refused(let reason): "the store of files refused: \(reason)"
        }
    }
}
