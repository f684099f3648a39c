import Testing
import Web

@testable import Commands

@Suite("The proxy of a command")
struct ProxyTests {
    private let server = "https://live.example.org"
    private let proxy = ClientOptions.Proxy(host: "proxy", port: 3128)

    @Test("is the option's, else the environment's for HTTPS, lower case first")
    func order() throws {
        let both = ["https_proxy": "proxy:3128", "HTTPS_PROXY": "http://other:1"]
        #expect(try Console.proxy("http://proxy:3128", ["HTTPS_PROXY": "http://other:1"], for: server) == proxy)
        #expect(try Console.proxy(nil, both, for: server) == proxy)
        #expect(try Console.proxy(nil, ["HTTPS_PROXY": "http://proxy:3128/"], for: server) == proxy)
        #expect(try Console.proxy(nil, both, for: "http://127.0.0.1:8080") == nil)
        #expect(try Console.proxy(nil, ["HTTPS_PROXY": ""], for: server) == nil)
        #expect(try Console.proxy(nil, [:], for: server) == nil)
    }

    @Test(
        "is not used for a server that NO_PROXY names",
        arguments: [
            ("*", true), ("live.example.org", true), ("a, .example.org", true), ("EXAMPLE.ORG", true), ("e.example.org", false),
            ("ample.org", false), ("", false),
        ])
    func exempt(_ list: String, _ isExempt: Bool) throws {
        let environment = ["HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": list]
        #expect(try Console.proxy(nil, environment, for: server) == (isExempt ? nil : proxy))
    }

    @Test("that is none is a fault that names where it stands and repeats no password")
    func faults() {
        #expect { try Console.proxy("proxy:3128", [:], for: server) } throws: { "\($0)".hasPrefix("--proxy: expected http://HOST:PORT") }
        #expect { try Console.proxy(nil, ["HTTPS_PROXY": "http://me:word@proxy:1"], for: server) } throws: {
            "\($0)".hasPrefix("the environment's HTTPS_PROXY: expected") && !"\($0)".contains("me:word")
        }
    }
}
