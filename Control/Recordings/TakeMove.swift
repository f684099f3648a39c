import Blobs
import Crypto
import Fleet
import HTTP
import Posix
import Store
import Units
import Wire

/// What is asked of whoever has a take.
typealias TakeReading = @Sendable (RecordingAsk) async throws -> [UInt8]

/// Why a take did not come now; it is tried again.
enum MoveFault: Error, Hashable, CustomStringConvertible {
    /// The host does not come with it.
    case away(String)
    /// It gave something else than it was asked for.
    case otherBytes
    /// What is stored is not what the host has told.
    case otherFile(Int)

    var description: String {
        switch self {
        case .away(let reason): "the host does not bring it: \(reason)"
        case .otherBytes: "the host gave something else than it was asked for"
        case .otherFile(let number): "file \(number) is not what the host said it is"
        }
    }
}

/// Brings a take's files into a store, part by part; each part is written down once it is stored, so that whoever is killed, on whichever side,
/// goes on behind the last one. A file counts as stored when it was read back from the store and had its digest.
struct TakeMove: Sendable {
    let recorded: RecordedTake
    let take: RecordingMoves.Take
    let objects: any ObjectStore
    let moves: RecordingMoves
    let read: TakeReading

    /// - Throws: `MoveFault`; `BlobError`; `StoreError.missing` where the recording was removed.
    func run() async throws {
        for file in recorded.files { try await bring(file) }
        try await moves.finished(recorded, of: take)
    }

    /// Of each part but the last: the same for a file whenever it is asked, and few enough of them.
    static func partBytes(of bytes: Int) -> Int {
        let unit = 1 << 20
        let fair = bytes / (ObjectLimits.parts.upperBound - 1000)
        let units = (fair + unit - 1) / unit
        return min(max(8, units) * unit, ObjectLimits.bytes)
    }

    private func bring(_ file: RecordedFile) async throws {
        var progress = try await moves.expect(file, of: take)
        if progress.isStored { return }
        if let outdated = progress.outdated { try await objects.abandon(outdated) }
        do {
            try await send(file, progress)
        } catch BlobError.noUpload {
            // It was put together, and what followed was lost; or the store has given it up.
            if try await objects.find(progress.key)?.bytes == file.bytes {
                try await settle(file, progress)
            } else {
                try await moves.begun(nil, file.number, of: take)
                progress = try await moves.expect(file, of: take)
                try await send(file, progress)
            }
        }
    }

    private func send(_ file: RecordedFile, _ progress: RecordingMoves.Progress) async throws {
        let upload: ObjectUpload
        if let known = progress.upload {
            upload = known
        } else {
            upload = try await objects.begin(progress.key, type: StoredRecordingFile.type, sha256: file.sha256)
            try await moves.begun(upload, file.number, of: take)
        }
        var parts = progress.parts
        let size = Self.partBytes(of: file.bytes)
        var offset = parts.reduce(0) { $0 + $1.bytes }
        while offset < file.bytes {
            let bytes = try await piece(file.number, offset, min(size, file.bytes - offset))
            let part = try await objects.send(bytes, as: (parts.last?.number ?? 0) + 1, of: upload)
            try await moves.sent(part, file.number, of: take)
            parts.append(part)
            offset += bytes.count
        }
        do {
            _ = try await objects.complete(upload, parts)
        } catch BlobError.badParts {
            throw try await refused(file, upload)
        }
        try await settle(file, progress)
    }

    private func piece(_ file: Int, _ offset: Int, _ count: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count {
            let ask = RecordingAsk(file: file, offset: offset + bytes.count, count: min(WireLimits.recordingPiece, count - bytes.count))
            let more = try await read(ask)
            guard more.count == ask.count else { throw MoveFault.otherBytes }
            bytes += more
        }
        return bytes
    }

    /// Reads it back, whole, before anybody may remove what it was made of.
    private func settle(_ file: RecordedFile, _ progress: RecordingMoves.Progress) async throws {
        guard try await digest(of: progress.key, bytes: file.bytes) == file.sha256 else {
            try await objects.remove(progress.key)
            throw try await refused(file, nil)
        }
        do {
            try await moves.stored(file, of: take)
        } catch let error as StoreError {
            // It was removed while it came, and with it what the store had of it then.
            if case .missing = error { try await objects.remove(progress.key) }
            throw error
        }
    }

    private func digest(of key: ObjectKey, bytes count: Int) async throws -> String? {
        var digest = SHA256Digest()
        var offset = 0
        while offset < count {
            let range = ByteRange(first: offset, last: min(offset + (8 << 20), count) - 1)
            guard let part = try await objects.get(key, range), part.bytes.count == range.count else { return nil }
            digest.add(part.bytes)
            offset += part.bytes.count
        }
        return Hex.encode(digest.finished())
    }

    /// It begins anew, once the host has looked again at what it has.
    private func refused(_ file: RecordedFile, _ upload: ObjectUpload?) async throws -> MoveFault {
        if let upload { try await objects.abandon(upload) }
        try await moves.begun(nil, file.number, of: take)
        // try?: the host ends the connection for an answer.
        _ = try? await read(RecordingAsk(file: 0, offset: 0, count: 0))
        return .otherFile(file.number)
    }
}
