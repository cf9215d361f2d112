/* Unzstd.java - zstd-jni's ZstdInputStream: FILE, to stdout. */
import com.github.luben.zstd.ZstdInputStream;
import java.io.FileInputStream;
import java.io.IOException;

class Unzstd {
    public static void main(String[] words) throws IOException {
        new ZstdInputStream(new FileInputStream(words[0]))
            .transferTo(System.out);
        System.out.flush();
    }
}
