import Testing

@testable import Ingest

/// Bytes as hex with spaces and comments after `#`.
func hex(_ text: String) -> [UInt8] {
    text.split(separator: "\n").flatMap { line in
        (line.split(separator: "#", omittingEmptySubsequences: false).first ?? "").split(separator: " ").flatMap { word in
            stride(from: 0, to: word.utf8.count, by: 2).map { offset in
                UInt8(word.dropFirst(offset).prefix(2), radix: 16)!
            }
        }
    }
}

private func judge(_ bytes: [UInt8]) -> Result<GREHeader, GREHeader.Fault> {
    bytes.withUnsafeBytes { buffer in
        do throws(GREHeader.Fault) { return .success(try GREHeader(buffer)) } catch { return .failure(error) }
    }
}

@Suite struct GREHeaderTests {
    /// The first packet of a librist 0.2.7 sender, cut to the shortest length.
    let rtcp = hex(
        """
        30          # flags: key, sequence
        48          # 256 bits, version 1 of the RIST header
        88b6        # reduced overhead protocol
        2803f430    # nonce
        00000005    # sequence number
        948520 4e6c94 852004 4e6c94   # encrypted
        """)

    @Test("an encrypted packet yields its nonce and sequence number")
    func encrypted() {
        #expect(judge(rtcp) == .success(GREHeader(nonce: 0x2803_f430, sequence: 5)))
    }

    @Test("with a checksum field both lie four bytes further")
    func checksum() {
        let packet = hex("b0 48 88b6 deadbeef 2803f430 00000005") + [UInt8](repeating: 7, count: 20)
        #expect(judge(packet) == .success(GREHeader(nonce: 0x2803_f430, sequence: 5)))
        #expect(judge(hex("b0 48 88b6 2803f430 00000000 00000005") + [UInt8](repeating: 7, count: 20)) == .failure(.zeroNonce))
    }

    @Test("what librist 0.2.11 adds once both ends know it passes: the VSF EtherType, short ones too")
    func vsf() {
        // A keep-alive: version 2 of the RIST header, 22 bytes.
        let packet = hex("30 50 cce0 00c06204 00000006 0ff35f75 0102 0304 0506")
        #expect(judge(packet) == .success(GREHeader(nonce: 0x00c0_6204, sequence: 6)))
    }

    @Test("what librist would take as clear text is refused: no key bit, no sequence bit, nonce zero")
    func plaintext() {
        for flags: UInt8 in [0x00, 0x10, 0x20, 0x80, 0x90, 0xa0] {
            var packet = rtcp + rtcp
            packet[0] = flags
            #expect(judge(packet) == .failure(.plaintext), "flags \(flags)")
        }
        var packet = rtcp
        packet.replaceSubrange(4..<8, with: [0, 0, 0, 0])
        #expect(judge(packet) == .failure(.zeroNonce))
    }

    @Test("keep-alives, EAPOL, raw IP and other protocols do not pass, encrypted or not")
    func otherProtocols() {
        for type: [UInt8] in [[0x88, 0xb5], [0x88, 0x8e], [0x08, 0x00], [0x86, 0xdd], [0x00, 0x00]] {
            var packet = rtcp
            packet.replaceSubrange(2..<4, with: type)
            #expect(judge(packet) == .failure(.shape))
        }
    }

    @Test("lengths that no packet of RIST has do not pass")
    func lengths() {
        for count in 0..<20 { #expect(judge(Array(rtcp.prefix(count))) == .failure(.length)) }
        #expect(judge(rtcp + [UInt8](repeating: 0, count: 1473 - rtcp.count)) == .failure(.length))
        #expect(judge(rtcp + [UInt8](repeating: 0, count: 1344 - rtcp.count)) == .success(GREHeader(nonce: 0x2803_f430, sequence: 5)))
    }
}
