import Crypto
import Testing

@testable import Releases

/// Texts that another program has signed: `openssl pkeyutl -sign -rawin`, with the keys of RFC 8032, 7.1, TEST 1 (root) and TEST 2
/// (release).
enum Signed {
    static let keys = """
        strata signed 1
        signature 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo I3L_ui71Hr7_l1C0S3LDdPaBJ-Wa4OLHvAFBKwsHwk0sZYVuQ0GR4cCGNwwaFlvqog2n6tNzDils8j234ns9Bw

        strata release keys 1
        number 1
        root 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo
        release PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw 1830000000

        """

    static let release = """
        strata signed 1
        signature PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw bvMXNMFIoU2pFNI-9tnj7fiE3ubSrDOilKkLZrvmcV7TBMu0O_hQYJjpw1iRzlFj7HndJibtx2Qyb5ADMq6SDA

        strata release 1
        version 1.4.0
        sequence 17
        channel stable
        released 1795392000
        expires 1803168000
        minimum 1.2.0
        migration 23
        breaking Room tokens of 1.3 are no longer taken.
        note Links come back sooner.
        file agent arm64 - 1203 711a6108ba2ce6ca93dd47d6817f2361db10d8ab6eec89460b2dfc2c325efabe share/README.md
        file agent arm64 x 5 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824 strata-agent

        """

    static func key(_ seed: String) throws -> Ed25519PrivateKey { try Ed25519PrivateKey(seed: try #require(Hex.decode(seed))) }

    static let root = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
    static let daily = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"

    static func text(_ text: String) throws -> SignedText { try SignedText(bytes: Array(text.utf8)) }

    /// 2026-11-23.
    static let today: Int64 = 1_795_392_000
    static let now = ReleaseTime(clock: today, floor: 0)

    static func file(
        _ path: String, product: ReleaseProduct = .agent, machine: String = "arm64", size: Int = 5, digest: UInt8 = 7
    ) throws -> ReleaseFile {
        let machine = try #require(MachineClass(machine))
        return try #require(
            ReleaseFile(
                product: product, machine: machine, isExecutable: true, size: size, digest: [UInt8](repeating: digest, count: 32),
                path: path))
    }

    static func version(_ text: String) throws -> ReleaseVersion { try #require(ReleaseVersion(text)) }

    static func manifest(
        _ version: String = "1.4.0", sequence: Int64 = 17, channel: ReleaseChannel = .stable, expires: Int64 = Signed.today + 1000,
        minimum: String = "1.0.0", files: [ReleaseFile]? = nil, migrations: [Int] = [], notes: [String] = []
    ) throws -> ReleaseManifest {
        try ReleaseManifest(
            version: try Self.version(version), sequence: sequence, channel: channel, released: today - 1000, expires: expires,
            minimum: try Self.version(minimum), migrations: migrations, notes: notes, files: try files ?? [file("strata-agent")])
    }
}
