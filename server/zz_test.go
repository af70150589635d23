package server
import ("testing";"os";"log/slog";"strings")
func TestZZ(t *testing.T){
 s:=newServer(t)
 s.Log=slog.New(slog.NewTextHandler(os.Stdout,nil))
 _,files:=sample(15)
 f:=files[0]
 t.Log(post(t,s,f))
 t.Log(post(t,s,file{"a.json",strings.Replace(f.text,"gpu_power_avg_w","ppgu",1)}))
}
