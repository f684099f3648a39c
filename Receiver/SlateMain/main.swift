import Glibc
import MPEGTS
import Posix
import Stills
import Wire

// strata-slate h264|h265 WIDTH HEIGHT PROFILE LEVEL TICKS <PICTURE >PICTURES
//
// One slate, and then the end. Of an empty input it is a picture of ours, else the organisation's, which may be hostile: encoders want
// their threads at their start, so they are opened, with numbers only, and what the process has then is all it has when it reads.

guard let format = SlateFormat(words: CommandLine.arguments.dropFirst()) else {
    print("usage: strata-slate h264|h265 WIDTH HEIGHT PROFILE LEVEL TICKS <PICTURE >PICTURES")
    exit(64)
}

func run(_ format: SlateFormat) throws {
    let encoder = try SlateEncoder.open(format)
    // H.265 of 4096x2304 from a 4K PNG of 16 bits takes 480 MB and 8 s, at 60 pictures a second.
    try confine(Bounds(memoryBytes: 768 << 20, processorSeconds: 20, fileBytes: Slate.bytes))
    guard let bytes = readStandardInput(upTo: WireLimits.slateBytes) else { throw SlateEncoder.Fault.picture }
    let picture: OwnPicture?
    do {
        picture = bytes.isEmpty ? nil : try OwnPicture(bytes)
    } catch {
        throw SlateEncoder.Fault.picture
    }
    guard writeStandardOutput(try encoder.encode(picture)) else { throw SlateEncoder.Fault.encoder }
    // Nothing is taken down: the encoder's threads would have to be waited for.
    _exit(0)
}

// Who started it may be gone: then nobody ends it but itself.
_ = alarm(60)
// Media goes first, though not as far as before a thumbnail: a slate is waited for. Where a unit's filter forbids it, it goes on as it is.
_ = nice(5)
do {
    try run(format)
} catch let fault as SlateEncoder.Fault {
    _exit(fault.rawValue)
} catch {
    // It could not be confined.
    _exit(70)
}
