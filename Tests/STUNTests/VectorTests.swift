import STUN
import Testing

/// Source: RFC 5769 sections 2.1 to 2.3.
@Suite struct VectorTests {
    private let password = "VOkJxbRl1RmTxUk/WvJxBt"
    private let transaction = TransactionID(high: 0xb7e7_a701, low: 0xbc34_d686_fa87_dfae)

    private let request = hex(
        ("type: Binding request", "0001"), ("length", "0058"), ("cookie", "2112a442"), ("transaction", "b7e7a701bc34d686fa87dfae"),
        ("SOFTWARE", "80220010"), ("STUN test client", "5354554e207465737420636c69656e74"),
        ("PRIORITY", "00240004"), ("value", "6e0001ff"),
        ("ICE-CONTROLLED", "80290008"), ("tie-breaker", "932ff9b151263b36"),
        ("USERNAME", "00060009"), ("evtj:h6vY", "6576746a3a68367659"), ("padding", "202020"),
        ("MESSAGE-INTEGRITY", "00080014"), ("code", "9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"),
        ("FINGERPRINT", "80280004"), ("check", "e57a3bcf"))

    private let overIPv4 = hex(
        ("type: Binding success", "0101"), ("length", "003c"), ("cookie", "2112a442"), ("transaction", "b7e7a701bc34d686fa87dfae"),
        ("SOFTWARE", "8022000b"), ("test vector", "7465737420766563746f72"), ("padding", "20"),
        ("XOR-MAPPED-ADDRESS", "00200008"), ("family", "0001"), ("port", "a147"), ("address", "e112a643"),
        ("MESSAGE-INTEGRITY", "00080014"), ("code", "2b91f599fd9e90c38c7489f92af9ba53f06be7d7"),
        ("FINGERPRINT", "80280004"), ("check", "c07d4c96"))

    private let overIPv6 = hex(
        ("type: Binding success", "0101"), ("length", "0048"), ("cookie", "2112a442"), ("transaction", "b7e7a701bc34d686fa87dfae"),
        ("SOFTWARE", "8022000b"), ("test vector", "7465737420766563746f72"), ("padding", "20"),
        ("XOR-MAPPED-ADDRESS", "00200014"), ("family", "0002"), ("port", "a147"), ("address", "0113a9faa5d3f179bc25f4b5bed2b9d9"),
        ("MESSAGE-INTEGRITY", "00080014"), ("code", "a382954e4be67bf11784c97c8292c275bfe3ed41"),
        ("FINGERPRINT", "80280004"), ("check", "c8fb0b4c"))

    @Test("the sample request is read as RFC 5769 section 2.1 says, and is authentic")
    func readsRequest() throws {
        let message = try #require(STUNMessage(request))
        #expect(message.kind == .request && message.method == 1 && message.transaction == transaction)
        #expect(message.priority == 0x6e00_01ff && message.controlled == 0x932f_f9b1_5126_3b36)
        #expect(message.controlling == nil && !message.hasUseCandidate && !message.hasUnknownAttributes)
        #expect(message.username.map { Array(request[$0]) } == Array("evtj:h6vY".utf8))
        #expect(message.isAuthentic(request, code(password)) == true)
        #expect(message.hasGoodFingerprint(request))
    }

    @Test("the sample answers are read as RFC 5769 sections 2.2 and 2.3 say, and are authentic")
    func readsAnswers() throws {
        let addresses = [
            (overIPv4, hex(("192.0.2.1", "c0000201"))),
            (overIPv6, hex(("2001:db8:1234:5678:11:2233:4455:6677", "20010db8123456780011223344556677"))),
        ]
        for (bytes, address) in addresses {
            let message = try #require(STUNMessage(bytes))
            #expect(message.kind == .success && message.transaction == transaction)
            #expect(message.mappedAddress(bytes) == MappedAddress(address, port: 32853))
            #expect(message.isAuthentic(bytes, code(password)) == true)
            #expect(message.hasGoodFingerprint(bytes))
        }
    }

    @Test("what is written of the same fields is the samples, byte for byte")
    func writes() throws {
        var writer = STUNWriter(.request, transaction)
        writer.append(.software, Array("STUN test client".utf8))
        writer.append(.priority, 0x6e00_01ff as UInt32)
        writer.append(.iceControlled, 0x932f_f9b1_5126_3b36 as UInt64)
        writer.append(STUNAttribute.username.rawValue, Array("evtj:h6vY".utf8), padding: 0x20)
        #expect(writer.finished(code(password)) == request)
        for (bytes, address) in [(overIPv4, [192, 0, 2, 1]), (overIPv6, hex(("address", "20010db8123456780011223344556677")))] {
            var writer = STUNWriter(.success, transaction)
            writer.append(STUNAttribute.software.rawValue, Array("test vector".utf8), padding: 0x20)
            writer.append(try #require(MappedAddress(address, port: 32853)))
            #expect(writer.finished(code(password)) == bytes)
        }
    }

    @Test("a sample with any one bit changed is no message, not authentic, or without a good fingerprint")
    func everyBit() {
        for bytes in [request, overIPv4, overIPv6] {
            for bit in 0..<bytes.count * 8 {
                var changed = bytes
                changed[bit / 8] ^= 1 << (bit % 8)
                guard let message = STUNMessage(changed) else { continue }
                #expect(message.hasGoodFingerprint(changed) == false, "bit \(bit)")
                // The code covers what stands before it.
                if bit < (bytes.count - 8) * 8 { #expect(message.isAuthentic(changed, code(password)) == false, "bit \(bit)") }
            }
        }
    }

    @Test("the samples are not authentic with another password")
    func otherPassword() throws {
        for bytes in [request, overIPv4, overIPv6] {
            let message = try #require(STUNMessage(bytes))
            #expect(message.isAuthentic(bytes, code("VOkJxbRl1RmTxUk/WvJxBT")) == false)
        }
    }
}
