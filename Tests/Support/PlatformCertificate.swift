/// A certificate for a platform of a test: for `localhost` and one address, of an authority made for it.
package final class PlatformCertificate: Sendable {
    package let chain: String
    package let key: String
    /// The authority's certificate.
    package let authority: String
    /// The files go with this.
    private let folder: TemporaryFolder

    package init(address: String = "127.0.0.1") async throws {
        folder = try TemporaryFolder()
        (chain, key, authority) = (folder["chain.pem"], folder["key.pem"], folder["authority.pem"])
        let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        _ = try await runTool(
            "openssl", ["req", "-x509", "-subj", "/CN=Authority of a test", "-keyout", folder["authority.key"], "-out", authority] + curve)
        _ = try await runTool(
            "openssl",
            [
                "req", "-x509", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:\(address)",
                "-addext", "basicConstraints=critical,CA:FALSE", "-CA", authority, "-CAkey", folder["authority.key"], "-keyout", key,
                "-out",
                chain,
            ] + curve)
    }
}
