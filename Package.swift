// swift-tools-version:6.0
import PackageDescription

import class Foundation.FileManager

// The module graph. A module imports only from rows above its own, and never from another program's row; `ci/graph`
// holds this file and the sources to it. What each folder is for stands in the README of its top-level folder.

/// Warnings are errors; a C type that leaks through a wrapper is one too (`InternalImportsByDefault`).
let common: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
    .unsafeFlags(["-warnings-as-errors"]),
]

#if compiler(>=6.2)
    let strict: [SwiftSetting] = common + [.unsafeFlags(["-strict-memory-safety"])]
#else
    let strict = common
#endif

/// For what a simulator drives through thousands of seconds: optimised in debug builds as well.
let fast: [SwiftSetting] = [.unsafeFlags(["-O"], .when(configuration: .debug))]

/// A pure module: no clock, no socket, no log, no unsafe memory.
func pure(_ folder: String, _ name: String, _ needs: [String] = [], _ more: [SwiftSetting] = []) -> Target {
    .target(
        name: name, dependencies: needs.map { .byName(name: $0) }, path: "\(folder)/\(name)", exclude: pages(folder, name),
        swiftSettings: strict + more)
}

func module(
    _ folder: String, _ name: String, _ needs: [String] = [], more: [SwiftSetting] = []
) -> Target {
    .target(
        name: name, dependencies: needs.map { .byName(name: $0) }, path: "\(folder)/\(name)", exclude: pages(folder, name),
        swiftSettings: common + more)
}

/// A program: one `main.swift` that reads its configuration, builds objects and runs.
func program(_ folder: String, _ name: String, _ needs: [String]) -> Target {
    .executableTarget(name: name, dependencies: needs.map { .byName(name: $0) }, path: "\(folder)/\(name)", swiftSettings: common)
}

/// The door to a C library: a module map and a shim header.
func door(_ name: String, pkgConfig: String? = nil) -> Target {
    .systemLibrary(name: name, path: "Common/\(name)", pkgConfig: pkgConfig)
}

func tests(_ name: String, _ needs: [String]) -> Target {
    .testTarget(name: name, dependencies: needs.map { .byName(name: $0) }, path: "Tests/\(name)", swiftSettings: common)
}

/// The pages of text that lie inside a module's folder.
func pages(_ folder: String, _ name: String) -> [String] {
    let root = Context.packageDirectory
    return ["PROTOCOL.md", "README.md", "Corpus"].filter { FileManager.default.fileExists(atPath: "\(root)/\(folder)/\(name)/\($0)") }
}

let doors: [Target] = [
    .target(name: "CPosix", path: "Common/CPosix"),
    door("CNetlink", pkgConfig: "libmnl"),
    door("COpenSSL", pkgConfig: "openssl"),
    door("CRist", pkgConfig: "librist"),
    door("CGStreamer", pkgConfig: "gstreamer-app-1.0"),
    door("CSQLite", pkgConfig: "sqlite3"),
    door("CArgon2", pkgConfig: "libargon2"),
    door("CWslay"),
    door("CZlib", pkgConfig: "zlib"),
    door("CV4L2"),
    door("CSystemd", pkgConfig: "libsystemd"),
    door("CAres", pkgConfig: "libcares"),
    door("CAvcodec"),
    door("CCurl", pkgConfig: "libcurl"),
    door("CQRencode"),
    // The oracle of SRTP's tests, which alone import it.
    door("CSRTP"),
]

let shared: [Target] = [
    // Pure.
    pure("Common", "Units"),
    pure("Common", "HTTP"),
    pure("Common", "TOML"),
    pure("Common", "XML"),
    pure("Common", "MPEGTS", ["Units"]),
    pure("Common", "BondWire"),
    pure("Common", "RISTFlow", ["BondWire"]),
    pure("Common", "STUN"),
    pure("Common", "RTP", ["BondWire"]),
    pure("Common", "SDP", ["RTP"]),
    pure("Common", "Wire", ["Units"]),
    // Wrappers: the one Swift module that imports each C library.
    module("Common", "Posix", ["CPosix"]),
    module("Common", "Netlink", ["CNetlink", "Posix"]),
    module("Common", "Systemd", ["Posix"]),
    module("Common", "DBus", ["CSystemd", "Posix"]),
    module("Common", "DNS", ["CAres", "Posix"]),
    module("Common", "Crypto", ["COpenSSL", "BondWire", "Posix"]),
    module("Common", "TLS", ["COpenSSL", "BondWire", "Crypto", "Posix"]),
    module("Common", "SRTP", ["BondWire", "Crypto"]),
    module("Common", "RIST", ["CRist", "Units", "Posix"]),
    module("Common", "GStreamer", ["CGStreamer", "Posix"]),
    module("Common", "SQLite", ["CSQLite"]),
    module("Common", "V4L2", ["CV4L2"]),
    // The rest.
    pure("Common", "Releases", ["Units", "Crypto"]),
    module("Common", "Logging", ["Posix", "Units"]),
    module("Common", "Configuration", ["TOML", "Units", "Wire"]),
    module("Common", "Service", ["Units", "BondWire", "Crypto", "Configuration", "Posix", "Logging", "Systemd"]),
    module("Common", "Web", ["Posix", "TLS", "HTTP", "CWslay", "CZlib"]),
    module("Common", "Identity", ["Units", "Wire", "HTTP", "Crypto", "Posix", "Web", "TLS"]),
    module("Common", "Boards", ["Units", "Configuration", "Identity", "Posix"]),
    module("Common", "ControlLink", ["Units", "Wire", "Crypto", "Identity", "Web", "Posix", "Logging"]),
    module("Common", "Outputs", ["Units", "Wire", "MPEGTS", "GStreamer", "Posix", "Logging"]),
]

let agent: [Target] = [
    pure("Agent", "Bonding", ["BondWire"], fast),
    module("Agent", "Links", ["Wire", "Netlink", "Posix", "Logging"]),
    module("Agent", "Names", ["DNS", "DBus", "Posix", "Logging"]),
    module("Agent", "Modems", ["Units", "Wire", "DBus", "Netlink", "Crypto", "Posix", "Logging"]),
    module("Agent", "Sticks", ["Wire", "HTTP", "XML", "Web", "Netlink", "Posix", "Logging"]),
    module("Agent", "Portals", ["Wire", "HTTP", "TLS", "Web", "Posix", "Logging"]),
    module("Agent", "Panel", ["Units", "Wire", "HTTP", "Posix", "Web"]),
    module("Agent", "Usage", ["Wire", "Configuration", "Crypto", "Posix", "Logging"]),
    module("Agent", "Inputs", ["Units", "Wire", "V4L2", "GStreamer", "Posix", "Logging"]),
    module("Agent", "Capture", ["Units", "Wire", "GStreamer", "Inputs", "Logging", "Posix", "Crypto"]),
    module("Agent", "Updating", ["Units", "Crypto", "Posix", "Releases"]),
    module(
        "Agent", "Uplink",
        ["Units", "Wire", "Configuration", "MPEGTS", "BondWire", "RISTFlow", "Bonding", "Crypto", "RIST", "Posix", "Logging"]),
    module(
        "Agent", "Session",
        [
            "Units", "Wire", "Configuration", "MPEGTS", "Links", "Names", "Modems", "Sticks", "Portals", "Usage", "Inputs", "Capture",
            "Uplink", "ControlLink", "Identity", "Service", "Releases", "Updating", "Panel", "Crypto", "Posix", "Web", "Logging",
        ]),
    module(
        "Agent", "Onboarding",
        [
            "Units", "Wire", "Boards", "Configuration", "Identity", "Names", "Panel", "Portals", "Session", "Service", "Crypto", "Posix",
            "Web", "Logging",
        ]),
    program(
        "Agent", "AgentMain",
        ["Session", "Onboarding", "Panel", "Service", "Systemd", "Logging", "Posix", "Identity", "Releases", "Updating"]),
    module(
        "Agent", "Updater",
        [
            "Units", "Wire", "HTTP", "Configuration", "Identity", "Releases", "Updating", "Crypto", "Posix", "Web", "Logging",
        ]),
    program("Agent", "UpdaterMain", ["Updater", "Service", "Systemd", "Logging", "Posix"]),
]

let receiver: [Target] = [
    module("Receiver", "Ingest", ["Units", "Wire", "BondWire", "RISTFlow", "Crypto", "RIST", "Posix", "Logging"]),
    module("Receiver", "Stills", ["CAvcodec", "Units", "MPEGTS", "Wire"], more: fast),
    pure("Receiver", "Fragments", ["Units", "MPEGTS", "Wire"]),
    module("Receiver", "Spool", ["Units", "Wire", "Fragments", "Crypto", "Posix", "Logging"]),
    module(
        "Receiver", "Relay",
        ["Units", "Wire", "Configuration", "MPEGTS", "Fragments", "Spool", "Ingest", "Outputs", "Service", "Posix", "Logging"]),
    module(
        "Receiver", "Field",
        ["Units", "Wire", "HTTP", "MPEGTS", "GStreamer", "Outputs", "Identity", "Web", "Posix", "Logging"]),
    module(
        "Receiver", "Pool",
        ["Units", "Wire", "Crypto", "Configuration", "ControlLink", "Identity", "Spool", "Service", "Posix", "Web", "Logging"]),
    program("Receiver", "ReceiverMain", ["Field", "Outputs", "Relay", "Service", "Logging", "Posix", "Wire"]),
    program("Receiver", "StillMain", ["Stills", "Posix"]),
    program("Receiver", "SlateMain", ["Stills", "MPEGTS", "Wire", "Posix"]),
    program(
        "Receiver", "PoolMain",
        ["Pool", "Configuration", "Service", "Systemd", "Logging", "Posix", "Identity"]),
]

let control: [Target] = [
    pure("Control", "ICE", ["Units", "BondWire", "STUN", "Posix", "Crypto"]),
    pure("Control", "Redaction", ["Units"]),
    pure("Control", "Forwarding", ["BondWire", "RTP"], fast),
    pure("Control", "TrackLog", ["BondWire", "RTP", "Forwarding"], fast),
    pure("Control", "Synchrony", ["BondWire", "RTP", "Forwarding"], fast),
    pure("Control", "Congestion", ["BondWire", "RTP", "Forwarding"], fast),
    pure("Control", "Meetings", ["Wire"]),
    pure("Control", "Rollouts", ["Units", "Crypto"]),
    module("Control", "Tracing", ["Posix"]),
    module("Control", "Reporting", ["Units", "HTTP", "Web", "Redaction", "Tracing", "Crypto", "Posix", "Logging"]),
    module("Control", "S3", ["Units", "HTTP", "XML", "Configuration", "Crypto", "TLS", "Web", "Posix"]),
    module("Control", "Blobs", ["Units", "HTTP", "Wire", "Crypto", "TLS", "Web", "S3", "Posix"]),
    module("Control", "Store", ["Units", "Wire", "SQLite", "Tracing", "Crypto", "Posix", "Blobs", "Meetings", "Releases", "Rollouts"]),
    module("Control", "Mail", ["Units", "HTTP", "Wire", "Configuration", "Store", "Tracing", "Crypto", "CCurl", "Posix", "Logging"]),
    module("Control", "Auth", ["Units", "Wire", "Store", "Mail", "Crypto", "CArgon2", "Posix"]),
    module("Control", "Fleet", ["Units", "Wire", "Configuration", "Store", "Web", "Identity", "Crypto", "Posix", "Logging"]),
    module("Control", "Broadcasts", ["Units", "Wire", "Configuration", "Store", "Fleet", "Web", "Crypto", "Posix", "Logging"]),
    module("Control", "Recordings", ["Units", "Wire", "Store", "Blobs", "Fleet", "Web", "HTTP", "Crypto", "Posix", "Logging"]),
    pure("Control", "Frames", ["BondWire", "Forwarding", "TrackLog"], fast),
    module("Control", "TrackSpool", ["BondWire", "RTP", "TrackLog", "Posix", "Logging"], more: fast),
    module(
        "Control", "Muxing", ["BondWire", "Forwarding", "TrackLog", "TrackSpool", "Synchrony", "Frames", "GStreamer", "Posix"], more: fast),
    module("Control", "WebRTC", ["BondWire", "Crypto", "SRTP", "TLS"], more: fast),
    module(
        "Control", "SFU",
        [
            "Units", "Wire", "BondWire", "STUN", "ICE", "TLS", "SRTP", "RTP", "SDP", "Forwarding", "Congestion", "WebRTC", "Service",
            "TrackLog", "TrackSpool", "Posix", "Logging",
        ], more: fast),
    program("Control", "SFUMain", ["SFU", "Service", "Logging", "Posix"]),
    module("Control", "Rooms", ["Units", "Wire", "Web", "Crypto", "Service", "Posix", "Logging", "Meetings"]),
    module("Control", "Alerts", ["Units", "Wire", "Store", "Mail", "Auth", "Broadcasts", "Posix", "Logging"]),
    module("Control", "Webhooks", ["Units", "HTTP", "Web", "Store", "Tracing", "Crypto", "Posix", "Logging"]),
    module("Control", "SelfUpdate", ["Wire", "HTTP", "Configuration", "Crypto", "Web", "Posix", "Logging", "Releases"]),
    module("Control", "Lookout", ["HTTP", "Web", "TLS", "Mail", "Configuration", "Crypto", "Posix", "Logging"]),
    module(
        "Control", "API",
        [
            "Units", "Wire", "HTTP", "Web", "Configuration", "Identity", "S3", "Blobs", "Store", "Mail", "Auth", "Fleet", "Broadcasts",
            "Recordings", "Rooms", "Meetings", "Alerts", "Webhooks", "Redaction", "Reporting", "Tracing", "Crypto", "Posix", "Logging",
            "TLS", "Releases", "SelfUpdate",
        ]),
    program(
        "Control", "ControlMain",
        [
            "API", "Alerts", "Auth", "Blobs", "Broadcasts", "Crypto", "Fleet", "Identity", "Logging", "Lookout", "Mail", "Posix",
            "Recordings", "Reporting", "Rooms",
            "S3",
            "SelfUpdate",
            "Service",
            "Store",
            "Systemd",
            "Tracing", "Units", "Web", "Webhooks",
        ]),
]

let provisioning: [Target] = [
    module("Provisioning", "Installation"),
    module("Provisioning", "Site", ["TOML", "Posix", "Crypto", "TLS", "SQLite", "Service", "Logging", "Releases", "Installation"]),
    module("Provisioning", "Upgrade", ["Wire", "Crypto", "Posix", "Logging", "Releases", "Installation", "Site"]),
    module("Provisioning", "Sheets", ["CQRencode", "Units"]),
    module(
        "Provisioning", "Commands",
        [
            "Units", "Wire", "HTTP", "Web", "Posix", "Crypto", "Releases", "Service", "TLS", "Logging", "Boards", "Configuration",
            "Identity", "Installation", "Sheets", "Site", "Upgrade",
        ]),
    program("Provisioning", "ProvisionMain", ["Commands", "Units"]),
]

let suites: [Target] = [
    .target(name: "CLab", path: "Tests/CLab"),
    .target(name: "CClock", path: "Tests/CClock"),
    .target(name: "FakeCamera", path: "Tests/FakeCamera"),
    .target(name: "CTimeOfDay", path: "Tests/CTimeOfDay"),
    module("Tests", "Support", ["COpenSSL", "CLab", "Lab", "Posix"]),
    module("Tests", "Lab", ["CLab", "Units", "Posix", "Bonding", "BondWire"], more: fast),
    program("Tests", "LabMain", ["Lab"]),
    program("Tests", "WebBench", ["Web", "HTTP", "Posix"]),
    program("Tests", "SRTPBench", ["SRTP", "Crypto", "CSRTP"]),
    module("Tests", "Load", ["Units", "Wire", "Crypto", "Identity", "TLS", "Web", "Posix"]),
    program("Tests", "LoadMain", ["Load"]),
    module(
        "Tests", "RoomLoad",
        ["BondWire", "HTTP", "STUN", "RTP", "SDP", "Posix", "TLS", "SRTP", "Web", "ICE", "WebRTC"], more: fast),
    program("Tests", "RoomLoadMain", ["RoomLoad"]),
    program("Tests", "FakeReceiver", ["Units", "Wire", "Service", "Logging", "Posix"]),
    module(
        "Tests", "Fuzz",
        [
            "Units", "HTTP", "TOML", "XML", "Wire", "MPEGTS", "Web", "BondWire", "RISTFlow", "Crypto", "Sticks", "S3", "Blobs", "Redaction",
            "Reporting", "Tracing", "Fragments", "Posix", "STUN", "ICE", "Fleet", "SRTP", "TLS", "RTP", "SDP", "Forwarding", "Meetings",
            "Releases", "Updating", "Boards", "Sheets", "TrackLog",
        ]),
    tests("UnitsTests", ["Units"]),
    tests("LoggingTests", ["Logging", "Posix"]),
    tests("WireTests", ["Wire", "Units"]),
    tests("HTTPTests", ["HTTP"]),
    tests("TOMLTests", ["TOML"]),
    tests("XMLTests", ["XML"]),
    tests(
        "RecordingsTests",
        ["Recordings", "Store", "Blobs", "Crypto", "HTTP", "Support", "Posix", "Units", "Wire"]),
    tests("FuzzTests", ["Fuzz", "HTTP", "Lab"]),
    tests("MPEGTSTests", ["MPEGTS", "Support", "Units"]),
    tests("PosixTests", ["Posix", "CLab"]),
    tests("WebTests", ["Web", "HTTP", "TLS", "Support", "Posix", "Crypto"]),
    tests("CryptoTests", ["Crypto"]),
    tests("ReleasesTests", ["Releases", "Crypto"]),
    tests("SRTPTests", ["SRTP", "BondWire", "CSRTP", "Crypto"]),
    tests("TLSTests", ["TLS", "BondWire", "CTimeOfDay", "Crypto", "SRTP"]),
    tests("SQLiteTests", ["SQLite", "Support"]),
    tests("S3Tests", ["S3", "HTTP", "Posix", "Units", "Web"]),
    tests("BlobsTests", ["Blobs", "S3", "Crypto", "HTTP", "Posix", "Support", "Units", "Web"]),
    tests("StoreTests", ["Store", "Blobs", "Meetings", "Releases", "Units", "Wire", "Crypto"]),
    tests(
        "APITests",
        [
            "API", "Auth", "Broadcasts", "Configuration", "Crypto", "Fleet", "HTTP", "Posix", "Rooms", "Store", "Support", "Units", "Web",
            "Wire",
        ]),
    tests("LookoutTests", ["Lookout"]),
    tests("MailTests", ["Mail", "Store", "Support", "Configuration", "Crypto", "Logging", "Posix", "Units"]),
    tests("WebhooksTests", ["Webhooks", "Store", "Support", "HTTP", "Web", "TLS", "Crypto", "Logging", "Posix", "Units"]),
    tests("RedactionTests", ["Redaction"]),
    tests("ForwardingTests", ["Forwarding", "RTP", "BondWire"]),
    tests("TrackLogTests", ["TrackLog", "Forwarding", "RTP", "BondWire"]),
    tests("SynchronyTests", ["Synchrony", "RTP", "BondWire"]),
    tests("TrackSpoolTests", ["TrackSpool", "TrackLog", "RTP", "Support", "Posix", "Logging"]),
    tests("FramesTests", ["Frames", "Forwarding", "TrackLog", "RTP", "BondWire"]),
    tests(
        "MuxingTests",
        ["Muxing", "Frames", "TrackSpool", "TrackLog", "Forwarding", "RTP", "GStreamer", "Support", "Posix", "Logging"]),
    tests("CongestionTests", ["Congestion", "Forwarding", "RTP", "BondWire"]),
    tests("MeetingsTests", ["Meetings", "Wire"]),
    tests("RolloutsTests", ["Rollouts", "Crypto", "Units"]),
    tests("TracingTests", ["Tracing", "Posix"]),
    tests("SelfUpdateTests", ["SelfUpdate", "Support", "HTTP", "Web", "Crypto", "Logging", "Posix", "Releases", "Wire"]),
    tests("ReportingTests", ["Reporting", "Tracing", "Support", "HTTP", "Web", "TLS", "Logging", "Posix", "Units"]),
    tests("AuthTests", ["Auth", "Store", "Mail", "SQLite", "Units", "Wire", "Crypto", "Posix"]),
    tests("RISTTests", ["RIST", "RISTFlow", "Posix", "Units", "Support"]),
    tests("IngestTests", ["Ingest", "RIST", "Posix", "Units", "Logging", "Support"]),
    tests(
        "UplinkTests",
        ["Uplink", "BondWire", "Configuration", "Crypto", "Links", "Ingest", "Posix", "Units", "Wire", "Lab", "Logging", "Support"]),
    tests("DNSTests", ["DNS", "Support", "Posix"]),
    tests("NamesTests", ["Names", "DBus", "Lab", "Support", "Posix", "Logging"]),
    tests("DBusTests", ["DBus", "Support", "Posix"]),
    tests("ModemsTests", ["Modems", "Netlink", "Lab", "Support", "Units", "Wire", "Posix", "Logging"]),
    tests("SticksTests", ["Sticks", "Lab", "Support", "Netlink", "Wire", "XML", "Posix", "Logging"]),
    tests("PortalsTests", ["Portals", "Lab", "Support", "TLS", "Wire", "Posix", "Logging"]),
    tests("UpdatingTests", ["Updating", "Crypto", "Posix", "Releases", "Units"]),
    tests("UsageTests", ["Usage", "Configuration", "Posix", "Wire", "Logging"]),
    tests("LinksTests", ["Links", "Netlink", "Posix", "Wire", "Lab", "Support", "Logging"]),
    tests("GStreamerTests", ["GStreamer", "CGStreamer", "Posix"]),
    tests("CaptureTests", ["Capture", "Inputs", "GStreamer", "Units", "Wire", "Logging", "Posix", "Support"]),
    tests("InputsTests", ["Inputs", "V4L2", "Wire", "Posix", "Logging"]),
    tests("OutputsTests", ["Outputs", "MPEGTS", "Units", "Wire", "Logging", "Support", "Posix"]),
    tests("StillsTests", ["Stills", "Support", "Wire", "Posix"]),
    tests("FragmentsTests", ["Fragments", "MPEGTS", "Support", "Units", "Wire"]),
    tests("FieldTests", ["Field", "GStreamer", "MPEGTS", "Posix", "Support", "Units"]),
    tests("SpoolTests", ["Spool", "Fragments", "Support", "Crypto", "Units", "Wire", "Posix", "Logging"]),
    tests("RelayTests", ["Relay", "Spool", "Stills", "MPEGTS", "Outputs", "Service", "Units", "Wire", "Logging", "Support", "Posix"]),
    tests("ServiceTests", ["Service", "Posix", "Logging", "Systemd", "Support"]),
    tests(
        "PoolTests",
        ["Pool", "Configuration", "HTTP", "Identity", "Crypto", "Web", "Wire", "Units", "Posix", "Logging", "Support"]),
    tests("ConfigurationTests", ["Configuration", "Units", "Wire"]),
    tests("IdentityTests", ["Identity", "Crypto", "HTTP", "Web", "Posix", "Wire", "Units"]),
    tests("BoardsTests", ["Boards", "Configuration", "Crypto", "Identity", "Units"]),
    tests("ControlLinkTests", ["ControlLink", "Identity", "Crypto", "HTTP", "Web", "Support", "Posix", "Logging", "Wire", "Units"]),
    tests(
        "SessionTests",
        [
            "Session", "Ingest", "Lab", "Support", "Links", "Names", "Portals", "Sticks", "Configuration", "Wire", "Units", "Posix",
            "Logging", "Service", "Capture", "Releases", "Updating",
        ]),
    tests("PanelTests", ["Panel", "HTTP", "Posix", "Web", "Wire"]),
    tests("OnboardingTests", ["Onboarding", "Boards", "Crypto", "Identity", "Posix", "Units"]),
    tests(
        "BroadcastsTests",
        ["Broadcasts", "Crypto", "Fleet", "Logging", "Posix", "SQLite", "Store", "Support", "Units", "Web", "Wire"]),
    tests("AlertsTests", ["Alerts", "Broadcasts", "Crypto", "Posix", "Store", "Units", "Wire"]),
    tests("SheetsTests", ["Sheets", "Units"]),
    tests("InstallationTests", ["Installation", "Posix"]),
    tests(
        "SiteTests",
        ["Site", "Upgrade", "Installation", "API", "Configuration", "Crypto", "Pool", "Posix", "Releases", "Support", "Wire"]),
    tests(
        "CommandsTests",
        ["Commands", "Boards", "Crypto", "Identity", "Installation", "Posix", "Releases", "Site", "Support", "Units", "Web"]),
    tests("BondWireTests", ["BondWire", "Crypto"]),
    tests("RISTFlowTests", ["RISTFlow", "BondWire"]),
    tests("STUNTests", ["STUN", "Crypto"]),
    tests("ICETests", ["ICE", "STUN", "BondWire", "Units", "Posix", "Crypto"]),
    tests("RTPTests", ["RTP"]),
    tests("SDPTests", ["SDP", "RTP"]),
    tests("RoomsTests", ["Rooms", "Meetings", "Support", "Units", "Wire", "Posix", "Logging"]),
    tests(
        "SFUTests",
        [
            "SFU", "Congestion", "Forwarding", "RTP", "BondWire", "ICE", "SDP", "TLS", "Units", "WebRTC", "Wire", "SRTP", "Crypto", "Posix",
            "Logging", "Support", "TrackLog", "TrackSpool",
        ]),
    tests("WebRTCTests", ["WebRTC", "TLS", "SRTP", "BondWire"]),
    tests("BondingTests", ["Bonding", "BondWire", "Lab"]),
    tests("LabTests", ["Lab", "Posix", "Support"]),
    tests("SupportTests", ["Support", "Lab", "Posix"]),
    tests("LoadTests", ["Load", "Posix", "Wire"]),
    tests("RoomLoadTests", ["RoomLoad", "Posix", "RTP", "TLS"]),
    tests(
        "EndToEndTests",
        [
            "Support", "Lab", "Units", "Wire", "HTTP", "Web", "Posix", "TLS", "Identity", "Crypto", "BondWire", "STUN", "ICE", "SRTP",
            "RTP", "Releases",
            "WebRTC",
        ]),
]

// The fuzzer's `main` is libFuzzer's: the program is there only where `ci/fuzz` builds it.
let fuzzers: [Target] =
    Context.environment["STRATA_FUZZING"] == nil
    ? []
    : [.executableTarget(name: "Fuzzer", dependencies: ["Fuzz"], path: "Tests/Fuzzer", swiftSettings: common)]

let programs = [
    ("strata-agent", "AgentMain"), ("strata-updater", "UpdaterMain"), ("strata-receiver", "ReceiverMain"), ("strata-pool", "PoolMain"),
    ("strata-control", "ControlMain"), ("strata-provision", "ProvisionMain"), ("strata-sfu", "SFUMain"),
    ("strata-still", "StillMain"), ("strata-slate", "SlateMain"), ("strata-lab", "LabMain"),
]

let package = Package(
    name: "strata",
    products: programs.map { .executable(name: $0.0, targets: [$0.1]) }
        // Preloaded by tests.
        + [("strata-clock", "CClock"), ("strata-camera", "FakeCamera")].map { .library(name: $0.0, type: .dynamic, targets: [$0.1]) },
    targets: doors + shared + agent + receiver + control + provisioning + suites + fuzzers
)
