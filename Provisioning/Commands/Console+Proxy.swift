// The way to the server where only a proxy leads out.
import HTTP
import Web

extension Console {
    /// What the server is reached through: what `--proxy` says, else the environment's proxy for HTTPS, unless its NO_PROXY names the server.
    ///
    /// Source: curl(1), ENVIRONMENT: the names, lower case first; NO_PROXY is `*`, or hosts and domains with commas between.
    static func proxy(_ option: String?, _ environment: [String: String], for server: String) throws -> ClientOptions.Proxy? {
        if let option {
            guard let proxy = ClientOptions.Proxy(option) else {
                throw Arguments.Fault("--proxy: expected \(ClientOptions.Proxy.expected)")
            }
            return proxy
        }
        let names = ["https_proxy", "HTTPS_PROXY"]
        guard let name = names.first(where: { environment[$0] != nil }), let text = environment[name], !text.isEmpty else { return nil }
        let url = try URLParts(server, schemes: [.http, .https])
        guard url.scheme.isTLS, !isExempt(url.host, environment["no_proxy"] ?? environment["NO_PROXY"] ?? "") else { return nil }
        guard let proxy = ClientOptions.Proxy(text.contains("://") ? text : "http://\(text)") else {
            // Its text may hold a password.
            throw Arguments.Fault("the environment's \(name): expected \(ClientOptions.Proxy.expected)")
        }
        return proxy
    }

    private static func isExempt(_ host: String, _ list: String) -> Bool {
        list.split(whereSeparator: { $0 == "," || $0 == " " }).contains { entry in
            let name = entry.drop { $0 == "." }.lowercased()
            return name == "*" || host == name || host.hasSuffix(".\(name)")
        }
    }
}
