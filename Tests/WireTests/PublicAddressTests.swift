import Glibc
import Testing
import Units
import Wire

/// Where a pool host says that boards reach it.
@Suite struct PublicAddressTests {
    @Test(
        "addresses and names are taken",
        arguments: [
            "203.0.113.10", "127.0.0.1", "255.255.255.255", "2001:db8::1", "::1", "2001:DB8:0:0:0:0:0:1", "1:2:3:4:5:6:7:8", "1::8",
            "1:2:3:4:5:6:7::", "::ffff:192.0.2.1", "1:2:3:4:5:6:192.0.2.1", "a", "live.example.org", "live.example.org.",
            "xn--bcher-kva.example",
            "my_host.lan", "3com.example", "1.2.3.four", String(repeating: "a", count: 63) + ".example",
        ])
    func good(_ text: String) { #expect(PublicAddress.isOne(text)) }

    @Test(
        "what is neither is not, whatever it says",
        arguments: [
            "", " ", "10.0.0.1; rm -rf /", "$(id)", "host name", "live.example.org:5000", "[::1]", "[::1]:5000", "rtmp://host/app", "host/",
            "-host", "host-", "host..example", ".example", ".", "example..", "1.2.3.4.", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4",
            "1.2.3.-4", "0.0.0.0",
            "::", "0:0:0:0:0:0:0:0", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "12345::", "g::1", ":1",
            "1:", "fe80::1%eth0", "::1.2.3", "1.2.3.4::1", "1:2:3:4:5:6:7:192.0.2.1", "::192.0.2.256", "b\u{fc}cher.example", "a\u{202e}b",
            "a\0b", "a\nb", String(repeating: "a", count: 64), String(repeating: "a.", count: 126) + "aa",
        ])
    func bad(_ text: String) { #expect(!PublicAddress.isOne(text)) }

    @Test("what looks like an address is one where the system reads it so")
    func system() {
        var state: UInt64 = 1
        func random(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % count
        }
        func isRead(_ text: String) -> Bool {
            var bytes = [UInt8](repeating: 0, count: 16)
            let family = text.contains(":") ? AF_INET6 : AF_INET
            return inet_pton(family, text, &bytes) == 1 && bytes.contains { $0 != 0 }
        }
        let pieces = ["0", "1", "ff", "12345", "256", "01", ":", "::", ":", ".", "1.2.3.4", ".5"]
        var taken = 0
        for _ in 0..<300_000 {
            let text = (0...random(16)).map { _ in pieces[random(pieces.count)] }.joined()
            // Without a colon it may be a name as well.
            guard text.contains(":") || !text.contains("f") else { continue }
            taken += isRead(text) ? 1 : 0
            #expect(PublicAddress.isOne(text) == isRead(text), "\(text)")
        }
        #expect(taken > 1000, "\(taken) of them are addresses")
    }

    @Test("a hello says what is wrong with it and where, in one line that repeats nothing hostile")
    func hello() throws {
        func fault(_ addresses: [String], _ first: Int = 20_000, _ last: Int = 20_999) -> String? {
            PoolHello(poolVersion: "1", addresses: addresses, portRange: PortRange(first: first, last: last), capacity: 1, leases: []).fault
        }
        #expect(fault(["203.0.113.10", "live.example.org"]) == nil && fault(["::1"], 5000, 5000) == nil)
        #expect(fault([])?.hasPrefix("hello.addresses: expected at least one") == true)
        let shell = try #require(fault(["203.0.113.10", "10.0.0.1; rm -rf /"]))
        #expect(shell == "hello.addresses[1]: expected \(PublicAddress.expected), not '10.0.0.1; rm -rf /'")
        #expect(fault([""])?.hasPrefix("hello.addresses[0]: expected") == true)
        let hostile = try #require(fault([String(repeating: "\u{202e}\u{1b}\n", count: 9000)]))
        #expect(hostile.isPlain && hostile.count < 200)
        // What is cut is not used either.
        #expect(fault(Array(repeating: "a", count: WireLimits.publicAddresses) + [""]) == nil)
        for (first, last) in [(0, 10), (10, 65_536), (10, 9), (Int.min, Int.max)] {
            #expect(fault(["a"], first, last)?.hasPrefix("hello.portRange: expected") == true)
        }
    }
}
