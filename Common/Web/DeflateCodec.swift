import CZlib

/// permessage-deflate without context takeover (RFC 7692), and gzip: three zlib streams for all connections of a lane.
final class DeflateCodec {
    // Each is made at its first use: a deflating stream has 256 kB.
    private lazy var deflater = ZStream({ strata_deflate_init($0, 6, -15, 8) }, end: { deflateEnd($0) })
    private lazy var inflater = ZStream({ strata_inflate_init($0, -15) }, end: { inflateEnd($0) })
    private lazy var gzipper = ZStream({ strata_deflate_init($0, 6, 15 + 16, 8) }, end: { deflateEnd($0) })

    /// What every compressed message ends with and does not send (RFC 7692 section 7.2.1).
    private static let tail: [UInt8] = [0, 0, 0xff, 0xff]

    /// A message compressed on its own.
    func compress(_ message: UnsafeRawBufferPointer) -> [UInt8] {
        deflateReset(deflater.raw)
        var output = deflater.run(message, flush: Z_SYNC_FLUSH, limit: .max) { deflate($0, $1) }.output
        output.removeLast(min(DeflateCodec.tail.count, output.count))
        return output
    }

    enum InflateFault: Error { case malformed, tooLarge }

    /// A message that was compressed on its own; its size is held to `limit` whatever it claims.
    func decompress(_ message: [UInt8], limit: Int) throws(InflateFault) -> [UInt8] {
        inflateReset(inflater.raw)
        let input = message + DeflateCodec.tail
        let result = input.withUnsafeBytes { inflater.run($0, flush: Z_SYNC_FLUSH, limit: limit) { inflate($0, $1) } }
        if result.output.count > limit { throw .tooLarge }
        guard result.code == Z_OK || result.code == Z_BUF_ERROR || result.code == Z_STREAM_END else { throw .malformed }
        return result.output
    }

    /// A body as gzip.
    func gzip(_ body: UnsafeRawBufferPointer) -> [UInt8] {
        deflateReset(gzipper.raw)
        return gzipper.run(body, flush: Z_FINISH, limit: .max) { deflate($0, $1) }.output
    }
}

/// A z_stream at a fixed address: zlib keeps a pointer back to it.
private final class ZStream {
    let raw: UnsafeMutablePointer<z_stream>

    private let end: (UnsafeMutablePointer<z_stream>) -> CInt

    init(_ initialise: (UnsafeMutablePointer<z_stream>) -> CInt, end: @escaping (UnsafeMutablePointer<z_stream>) -> CInt) {
        self.end = end
        raw = .allocate(capacity: 1)
        raw.initialize(to: z_stream())
        let code = initialise(raw)
        precondition(code == Z_OK, "zlib's initialisers fail only without memory: \(code)")
    }

    deinit {
        _ = end(raw)
        raw.deallocate()
    }

    /// Runs over all of `input`; stops a little above `limit`.
    func run(
        _ input: UnsafeRawBufferPointer, flush: CInt, limit: Int, _ step: (UnsafeMutablePointer<z_stream>, CInt) -> CInt
    ) -> (output: [UInt8], code: CInt) {
        var output: [UInt8] = []
        raw.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        raw.pointee.avail_in = UInt32(input.count)
        var code = Z_OK
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 16 * 1024) { part in
            repeat {
                raw.pointee.next_out = part.baseAddress
                raw.pointee.avail_out = UInt32(part.count)
                code = step(raw, flush)
                output.append(contentsOf: part[..<(part.count - Int(raw.pointee.avail_out))])
                // A full buffer may mean that there is more; one that is not means that the input is used up.
            } while raw.pointee.avail_out == 0 && output.count <= limit && (code == Z_OK || code == Z_BUF_ERROR)
        }
        raw.pointee.next_in = nil
        raw.pointee.next_out = nil
        return (output, code)
    }
}
