import Glibc
import Posix
import Stills

// strata-still h264|h265 <KEYFRAME >JPEG
//
// One key frame of a stream whose sender may be hostile, and then the end: the receiver starts one of these for each picture.
// It has nothing but its two files from before the first foreign byte reaches a decoder.

guard CommandLine.arguments.count == 2, let coding = Still.Coding(rawValue: CommandLine.arguments[1]) else {
    print("usage: strata-still h264|h265 <KEYFRAME >JPEG")
    exit(64)
}

// Who started it may be gone: then nobody ends it but itself.
_ = alarm(10)
// Media goes first. Where a unit's filter forbids it, it goes on as it is.
_ = nice(10)
do {
    // A picture of 4096x2304 takes 14 MB, twice that with more than eight bits, and a decoder holds two or three.
    try confine(Bounds(memoryBytes: 192 << 20, processorSeconds: 1, fileBytes: Still.bytes))
} catch {
    exit(70)
}
// 1: no picture can be made of it.
guard let bytes = readStandardInput(upTo: Still.inputBytes), let file = Still.jpeg(of: bytes, coding), writeStandardOutput(file) else {
    _exit(1)
}
_exit(0)
